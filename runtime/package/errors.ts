/** What a code means, the same for every occurrence. The table below is printed into docs/reference. */
interface PackageError {
  readonly title: string
  readonly fix: string
}

const repack = 'Pack the files again with an ordinary ZIP tool; do not edit the archive.'
const rename = 'Rename the file and pack again.'

/** Every reason for which a package or its manifest is refused. A code is a promise and never changes its meaning. */
export const packageErrors = {
  'package.too_large': {
    title: 'The package is too large',
    fix: 'Leave out what the app does not need, or compress images.',
  },
  'package.not_a_zip': {
    title: 'The file is not a ZIP archive',
    fix: 'Upload the .zip file itself, complete and unencoded.',
  },
  'package.trailing_data': { title: 'There are bytes after the end of the archive', fix: repack },
  'package.prepended_data': { title: 'There are bytes before the first file of the archive', fix: repack },
  'package.hidden_data': {
    title: 'There are bytes in the archive that belong to no listed file',
    fix: repack,
  },
  'package.comment_present': {
    title: 'The archive or one of its entries has a comment',
    fix: 'Remove the comment and pack again.',
  },
  'package.multi_disk': {
    title: 'The archive is split over several files',
    fix: 'Make one archive, not a split one.',
  },
  'package.zip64': {
    title: 'The archive uses ZIP64',
    fix: 'Pack without ZIP64; a package is far too small to need it.',
  },
  'package.too_many_files': {
    title: 'The package has too many files',
    fix: 'Bundle scripts and leave out sources.',
  },
  'package.directory_broken': { title: 'The list of files in the archive is broken', fix: repack },
  'package.encrypted': { title: 'An entry is encrypted', fix: 'Pack without a password.' },
  'package.flags_unsupported': { title: 'An entry uses ZIP features that are not supported', fix: repack },
  'package.method_unsupported': {
    title: 'An entry uses an unknown compression method',
    fix: 'Pack with “deflate” or “store”.',
  },
  'package.extra_field_unsupported': {
    title: 'An entry carries extra data that is not supported',
    fix: repack,
  },
  'package.symlink': { title: 'An entry is a symbolic link', fix: 'Pack the file that the link points to.' },
  'package.special_file': {
    title: 'An entry is neither a file nor a directory',
    fix: 'Pack ordinary files only.',
  },
  'package.directory_with_content': { title: 'A directory has contents of its own', fix: repack },
  'package.file_is_directory': { title: 'The same path is a file and a directory', fix: rename },
  'package.path_escapes': {
    title: 'A path leaves the package',
    fix: 'Use paths below the root of the package, without “..”.',
  },
  'package.path_absolute': { title: 'A path is absolute', fix: 'Use paths below the root of the package.' },
  'package.path_backslash': { title: 'A path contains a backslash', fix: 'Separate directories with “/”.' },
  'package.path_too_long': { title: 'A path is too long', fix: 'Use shorter names or fewer directories.' },
  'package.path_not_utf8': {
    title: 'A path is not marked and encoded as UTF-8',
    fix: 'Pack with UTF-8 names, or use ASCII names.',
  },
  'package.path_control_character': {
    title: 'A path contains an invisible or control character',
    fix: rename,
  },
  'package.path_illegal': { title: 'A path cannot be written on every system', fix: rename },
  'package.path_repeated': {
    title: 'Two paths are the same when case and Unicode form are ignored',
    fix: 'Rename or remove one of the two files.',
  },
  'package.overlapping_entries': { title: 'Two entries share bytes of the archive', fix: repack },
  'package.local_header_differs': { title: 'An entry is described twice, and differently', fix: repack },
  'package.data_descriptor_differs': {
    title: 'The sizes after an entry differ from the listed ones',
    fix: repack,
  },
  'package.unpacked_too_large': {
    title: 'The files are too large after unpacking',
    fix: 'Leave out what the app does not need.',
  },
  'package.ratio_too_high': {
    title: 'The files are compressed suspiciously well',
    fix: 'Leave out large files of repeated bytes.',
  },
  'package.data_broken': { title: 'The compressed bytes of an entry are broken', fix: repack },
  'package.size_differs': { title: 'An entry unpacks to another size than the listed one', fix: repack },
  'package.crc_differs': { title: 'The checksum of an entry is wrong', fix: repack },

  'package.manifest_not_found': {
    title: 'There is no manifest.json in the root of the package',
    fix: 'Pack the files themselves, not the folder that contains them.',
  },
  'package.manifest_too_large': {
    title: 'The manifest is too large',
    fix: 'Move what is not a declaration to other files.',
  },
  'package.manifest_not_json': {
    title: 'The manifest is not JSON',
    fix: 'Write JSON in UTF-8, without comments or trailing commas.',
  },
  'package.manifest_too_deep': {
    title: 'The manifest is nested too deeply',
    fix: 'Flatten the member at the pointer.',
  },
  'package.manifest_member_repeated': {
    title: 'A member of the manifest appears twice',
    fix: 'Keep one of the two.',
  },
  'package.manifest_text_illegal': {
    title: 'A text in the manifest cannot be stored',
    fix: 'Remove NUL characters, half surrogate pairs and members named __proto__.',
  },

  'package.member_missing': { title: 'A member of the manifest is missing', fix: 'Add the member.' },
  'package.member_unknown': {
    title: 'A member of the manifest is unknown',
    fix: 'Remove the member or correct its name.',
  },
  'package.member_invalid': {
    title: 'A member of the manifest has a wrong value',
    fix: 'Correct the value; /schemas/manifest.json describes it.',
  },
  'package.version_code_not_higher': { title: 'The version code does not grow', fix: 'Raise version.code.' },
  'package.scope_unknown': {
    title: 'A scope does not exist',
    fix: 'Use a scope of this platform; the scopes are listed in its documentation.',
  },
  'package.scope_repeated': {
    title: 'A scope is declared twice',
    fix: 'Declare a scope once, as required or as optional.',
  },
  'package.event_type_unknown': {
    title: 'An event type does not exist',
    fix: 'Use an event type of this platform; /types/stoa.d.ts lists them.',
  },
  'package.event_version_unknown': {
    title: 'An event type has no such version',
    fix: 'Pin a version that exists.',
  },
  'package.event_type_repeated': {
    title: 'An event type is listed twice',
    fix: 'List it once, with one version.',
  },
  'package.event_scope_missing': {
    title: 'An event is listed without the scope it needs',
    fix: 'Declare the scope in stoa_scopes, required or optional.',
  },
  'package.detail_type_unknown': {
    title: 'A type of authorization details does not exist',
    fix: 'Use a type of this platform, such as refund.',
  },
  'package.detail_invalid': {
    title: 'An authorization detail is not as its type wants it',
    fix: 'Give it the members that docs/guides/bounded-grants.md names for the type.',
  },
  'package.detail_scope_missing': {
    title: 'An authorization detail limits a scope that is not declared',
    fix: 'Declare the scope in stoa_scopes, required or optional.',
  },
  'package.handlers_required': {
    title: 'A mini-program names no handlers',
    fix: 'Set stoa_handlers to the JavaScript file with the handlers.',
  },
  'package.handlers_not_allowed': {
    title: 'A backend app names handlers',
    fix: 'Remove stoa_handlers, or create the app with the class “both”.',
  },
  'package.handlers_file_missing': {
    title: 'The file with the handlers is not in the package',
    fix: 'Add the file or correct stoa_handlers.',
  },
  'package.page_missing': {
    title: 'A page is not in the package',
    fix: 'Add the page’s .wxml or .html file, or remove it from pages.',
  },
  'package.icon_missing': {
    title: 'An icon is not in the package',
    fix: 'Add the image or remove the icon.',
  },
  'package.redirect_uri_illegal': {
    title: 'A redirect URI is not allowed',
    fix: 'Use https, or http on 127.0.0.1 or [::1], in normal form, without user name and fragment.',
  },
  'package.egress_host_illegal': {
    title: 'An egress host is not allowed',
    fix: 'Write a public host name in lower case, such as api.example.com.',
  },
} as const satisfies Readonly<Record<`package.${string}`, PackageError>>

export type PackageErrorCode = keyof typeof packageErrors

/** One reason for a refusal. A package with problems is refused as a whole. */
export interface Problem {
  readonly code: PackageErrorCode
  /** What is wrong here, in one sentence. Foreign text in it is quoted and cut. */
  readonly message: string
  /** What to do about it. */
  readonly fix: string
  /** RFC 6901 pointer into manifest.json. */
  readonly pointer?: string
  /** Path in the ZIP. Comes from outside: show it, never open it. */
  readonly path?: string
}

/** A value, or everything that was wrong with what should have become one. */
export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Makes a problem; its fix is the table's unless a closer one is given. */
export function makeProblem(
  code: PackageErrorCode,
  message: string,
  where: { readonly pointer?: string; readonly path?: string; readonly fix?: string } = {},
): Problem {
  return { code, message, fix: packageErrors[code].fix, ...where }
}

const quotedLengthMax = 80

/** Foreign text for a message: quoted, cut, and with every invisible or direction-changing character written out. */
export function quote(text: string): string {
  const cut = text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text
  return JSON.stringify(cut).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}
