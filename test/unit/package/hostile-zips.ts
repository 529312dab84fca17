import { deflateRawSync } from 'node:zlib'
import type { PackageErrorCode } from '../../../runtime/package/index.ts'
import { packageLimits } from '../../../runtime/package/index.ts'
import {
  concat,
  extraField,
  makeRawZip,
  type RawArchive,
  type RawEntry,
  toBytes,
  unixMode,
} from '../../support/zip.ts'

/** A ZIP that must be refused, with the codes that the answer must hold, no more and no fewer. */
export interface HostileZip {
  readonly title: string
  readonly codes: readonly PackageErrorCode[]
  readonly bytes: Uint8Array
  /** Path that at least one problem names. */
  readonly path?: string
}

const manifest: RawEntry = { name: 'manifest.json', content: '{}' }

/** Bytes that do not compress. */
function random(length: number): Uint8Array {
  let state = 88172645
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state
  })
}

function zip(
  title: string,
  code: PackageErrorCode,
  entries: readonly RawEntry[],
  archive?: RawArchive,
): HostileZip {
  return { title, codes: [code], bytes: makeRawZip([manifest, ...entries], archive) }
}

function raw(title: string, code: PackageErrorCode, bytes: Uint8Array): HostileZip {
  return { title, codes: [code], bytes }
}

/** An archive that is fine but for the name of one entry. */
function named(code: PackageErrorCode, name: string | Uint8Array, title = JSON.stringify(name)): HostileZip {
  const path = typeof name === 'string' ? { path: name } : {}
  return { ...zip(`a file named ${title}`, code, [{ name, content: 'x' }]), ...path }
}

const sound = makeRawZip([manifest])
const deflated = new Uint8Array(deflateRawSync(toBytes('hello hello hello')))

const containers: readonly HostileZip[] = [
  raw('no bytes at all', 'package.not_a_zip', new Uint8Array(0)),
  raw('text', 'package.not_a_zip', toBytes('this is not a ZIP archive, however long the text may be')),
  raw('a ZIP cut off in the middle', 'package.not_a_zip', sound.subarray(0, sound.length - 30)),
  raw('more than 2 MB', 'package.too_large', new Uint8Array(packageLimits.packageBytesMax + 1)),
  raw('bytes after the archive', 'package.trailing_data', concat([sound, toBytes('MZ')])),
  raw('a second archive after the first', 'package.prepended_data', concat([sound, sound])),
  raw('bytes before the archive', 'package.prepended_data', concat([toBytes('#!/bin/sh\n'), sound])),
  zip('bytes before the archive, offsets corrected', 'package.prepended_data', [], {
    prefix: toBytes('<html>'),
  }),
  zip('bytes between two entries', 'package.hidden_data', [{ name: 'a', gapBefore: toBytes('hidden') }]),
  zip('bytes between entries and directory', 'package.hidden_data', [], {
    beforeDirectory: toBytes('APK Sig Block 42'),
  }),
  zip('bytes between directory and end record', 'package.directory_broken', [], {
    beforeEnd: toBytes('hidden'),
  }),
  raw('an archive comment', 'package.comment_present', makeRawZip([manifest], { comment: 'hello' })),
  raw(
    'an archive comment that is cut off',
    'package.comment_present',
    concat([sound.subarray(0, -1), Uint8Array.of(9)]),
  ),
  zip('an entry comment', 'package.comment_present', [{ name: 'a', comment: 'hello' }]),
  zip('a second disk', 'package.multi_disk', [], { endLies: { disk: 1 } }),
  zip('entries on another disk', 'package.multi_disk', [], { endLies: { entriesHere: 1, entryCount: 9 } }),
  zip('an entry on another disk', 'package.multi_disk', [{ name: 'a', centralLies: { disk: 3 } }]),
  zip('a ZIP64 locator', 'package.zip64', [], {
    beforeEnd: concat([toBytes('PK\x06\x07'), new Uint8Array(16)]),
  }),
  zip('a ZIP64 entry count', 'package.zip64', [], { endLies: { entriesHere: 0xffff, entryCount: 0xffff } }),
  zip('a ZIP64 directory offset', 'package.zip64', [], { endLies: { directoryOffset: 0xffffffff } }),
  zip('a ZIP64 extra field', 'package.zip64', [
    { name: 'a', extra: extraField(1, new Uint8Array(8)), localExtra: new Uint8Array(0) },
  ]),
  raw(
    '513 entries',
    'package.too_many_files',
    makeRawZip([manifest, ...Array.from({ length: packageLimits.filesMax }, (_, i) => ({ name: `f${i}` }))]),
  ),
  zip('an entry cut off at the end of the directory', 'package.directory_broken', [], {
    beforeEnd: toBytes('PK\x01\x02......'),
    endLies: { entriesHere: 2, entryCount: 2, directorySize: 46 + 'manifest.json'.length + 10 },
  }),
  zip('fewer entries than listed', 'package.directory_broken', [], {
    endLies: { entriesHere: 2, entryCount: 2 },
  }),
  zip('more entries than listed', 'package.directory_broken', [{ name: 'a' }], {
    endLies: { entriesHere: 1, entryCount: 1 },
  }),
  zip('a directory that is not at its offset', 'package.prepended_data', [], {
    endLies: { directoryOffset: 3 },
  }),
  zip('a directory larger than the file', 'package.directory_broken', [], {
    endLies: { directorySize: 0x7fffffff },
  }),
]

const entries: readonly HostileZip[] = [
  zip('an encrypted entry', 'package.encrypted', [{ name: 'a', flags: 0x801 }]),
  zip('a strongly encrypted entry', 'package.encrypted', [{ name: 'a', flags: 0x841 }]),
  zip('hidden headers', 'package.encrypted', [{ name: 'a', flags: 0x2800 }]),
  zip('patch data', 'package.flags_unsupported', [{ name: 'a', flags: 0x820 }]),
  zip('bzip2', 'package.method_unsupported', [{ name: 'a', content: 'x', method: 12, packed: toBytes('x') }]),
  zip('deflate64', 'package.method_unsupported', [
    { name: 'a', content: 'x', method: 9, packed: toBytes('x') },
  ]),
  zip('a second name in an extra field', 'package.extra_field_unsupported', [
    { name: 'a', extra: extraField(0x7075, toBytes('b')) },
  ]),
  zip('a second name in the local extra field', 'package.extra_field_unsupported', [
    { name: 'a', localExtra: extraField(0x7075, toBytes('b')) },
  ]),
  zip('an extra field that ends early', 'package.extra_field_unsupported', [
    { name: 'a', extra: extraField(0x5455).subarray(0, 3) },
  ]),
  zip('an extra field longer than its room', 'package.extra_field_unsupported', [
    { name: 'a', extra: Uint8Array.of(0x55, 0x54, 9, 0, 1) },
  ]),
  zip('a symbolic link', 'package.symlink', [
    { name: 'a', content: '/etc/passwd', attributes: unixMode(0o120777) },
  ]),
  zip('a device', 'package.special_file', [{ name: 'a', attributes: unixMode(0o020666) }]),
  zip('a named pipe', 'package.special_file', [{ name: 'a', attributes: unixMode(0o010666) }]),
  zip('a directory with a file’s name', 'package.special_file', [
    { name: 'a', attributes: unixMode(0o040755) },
  ]),
  zip('a DOS directory with a file’s name', 'package.special_file', [{ name: 'a', attributes: 0x10 }]),
  zip('a file with a directory’s name', 'package.special_file', [
    { name: 'a/', attributes: unixMode(0o100644) },
  ]),
  zip('a directory with contents', 'package.directory_with_content', [{ name: 'a/', content: 'x' }]),
  zip('a file used as a directory', 'package.file_is_directory', [
    { name: 'a', content: 'x' },
    { name: 'a/b' },
  ]),
  zip('a file used as a directory, in another case', 'package.file_is_directory', [
    { name: 'B/c' },
    { name: 'b' },
  ]),
]

const paths: readonly HostileZip[] = [
  ...['../evil', 'a/../../evil', 'a/..', '..'].map((name) => named('package.path_escapes', name)),
  ...['/etc/passwd', 'C:evil'].map((name) => named('package.path_absolute', name)),
  {
    ...named('package.path_absolute', '//server/share'),
    codes: ['package.path_absolute', 'package.path_illegal'],
  },
  named('package.path_absolute', 'C:/evil'),
  named('package.path_backslash', 'a\\b'),
  {
    ...named('package.path_backslash', '..\\evil'),
    codes: ['package.path_backslash', 'package.path_escapes'],
  },
  named('package.path_too_long', 'a'.repeat(256), '256 letters'),
  named('package.path_too_long', '字'.repeat(86), '86 characters of 258 bytes'),
  named('package.path_not_utf8', Uint8Array.of(0xff, 0x61), 'by bytes that are not UTF-8'),
  named('package.path_not_utf8', Uint8Array.of(0xc0, 0xae, 0xc0, 0xae), 'by overlong dots'),
  {
    ...zip('a UTF-8 name that is not marked', 'package.path_not_utf8', [{ name: 'é', flags: 0 }]),
    path: 'é',
  },
  ...['a\0.js', 'a\nb', 'a\u202ejs.exe', 'a\u200bb', 'a\u2028b', 'a\ue000', 'a\ufffd'].map((name) => {
    return named('package.path_control_character', name)
  }),
  ...[
    '',
    'a//b',
    './a',
    'a/./b',
    'a.',
    'a ',
    ' a',
    'a*',
    'a?',
    'a|b',
    'a<b',
    '"a"',
    'bc:d',
    'CON',
    'x/nul.txt',
    'COM1.js',
  ].map((name) => named('package.path_illegal', name)),
  ...[
    ['the same name twice', 'a', 'a'],
    ['names that differ in case', 'A/b.js', 'a/B.js'],
    ['names that differ in Unicode form', 'e\u0301', '\u00e9'],
    ['names that differ in case folding', 'straße', 'STRASSE'],
    ['the same directory twice', 'a/', 'A/'],
  ].map(([title = '', first = '', second = '']) => {
    return zip(title, 'package.path_repeated', [{ name: first }, { name: second }])
  }),
]

const bomb = new Uint8Array(1024 * 1024)

const contents: readonly HostileZip[] = [
  zip('two entries with one local header', 'package.overlapping_entries', [
    { name: 'a', content: 'x' },
    { name: 'a2', content: 'x', localLies: { name: 'a2' }, centralLies: { headerOffset: 0 } },
  ]),
  zip('an entry that reaches into the next', 'package.overlapping_entries', [
    { name: 'a', content: 'x', descriptor: 'signed', centralLies: { packedSize: 30 } },
    { name: 'b', content: 'hello hello hello' },
  ]),
  zip('an entry that reaches into the directory', 'package.overlapping_entries', [
    { name: 'a', content: 'x', centralLies: { packedSize: 50 }, localLies: { packedSize: 50 } },
  ]),
  zip('an offset outside of the archive', 'package.local_header_differs', [
    { name: 'a', centralLies: { headerOffset: 0x7fffff00 } },
  ]),
  zip('another name in the local header', 'package.local_header_differs', [
    { name: 'a', localLies: { name: 'b' } },
  ]),
  zip('no name in the local header', 'package.local_header_differs', [
    { name: 'a', localLies: { name: '' } },
  ]),
  zip('no sizes in the local header and none announced', 'package.local_header_differs', [
    { name: 'a', content: 'x', localLies: { crc32: 0, packedSize: 0, size: 0 } },
  ]),
  zip('another size in the local header', 'package.local_header_differs', [
    { name: 'a', localLies: { size: 9 } },
  ]),
  zip('another checksum in the local header', 'package.local_header_differs', [
    { name: 'a', localLies: { crc32: 9 } },
  ]),
  zip('another method in the local header', 'package.local_header_differs', [
    { name: 'a', localLies: { method: 8 } },
  ]),
  zip('other flags in the local header', 'package.local_header_differs', [
    { name: 'a', localLies: { flags: 0 } },
  ]),
  ...(['signed', 'plain'] as const).flatMap((descriptor) =>
    (['crc32', 'packedSize', 'size'] as const).map((field) =>
      zip(`a ${descriptor} data descriptor with another ${field}`, 'package.data_descriptor_differs', [
        { name: 'a', content: 'x', descriptor, descriptorLies: { [field]: 77 } },
      ]),
    ),
  ),
  zip('bytes behind a data descriptor', 'package.data_descriptor_differs', [
    { name: 'a', content: 'x', descriptor: 'plain' },
    { name: 'b', gapBefore: new Uint8Array(8) },
  ]),
  zip('a data descriptor that is announced and not there', 'package.data_descriptor_differs', [
    { name: 'a', flags: 0x808 },
  ]),
  zip('a stored entry with another size', 'package.size_differs', [
    { name: 'a', content: 'xyz', centralLies: { size: 2 }, localLies: { size: 2 } },
  ]),
  zip('a deflated entry that is larger than listed', 'package.size_differs', [
    { name: 'a', content: random(5000), method: 8, centralLies: { size: 4999 }, localLies: { size: 4999 } },
  ]),
  zip('a deflated entry that is smaller than listed', 'package.size_differs', [
    { name: 'a', content: random(5000), method: 8, centralLies: { size: 5001 }, localLies: { size: 5001 } },
  ]),
  zip('a bomb that says it is small', 'package.size_differs', [
    { name: 'a', content: bomb, method: 8, centralLies: { size: 100 }, localLies: { size: 100 } },
  ]),
  zip('a wrong checksum', 'package.crc_differs', [
    { name: 'a', content: 'x', centralLies: { crc32: 1 }, localLies: { crc32: 1 } },
  ]),
  zip('broken deflate data', 'package.data_broken', [
    { name: 'a', content: 'x', method: 8, packed: Uint8Array.of(7, 255, 255) },
  ]),
  zip('deflate data without an end', 'package.data_broken', [
    { name: 'a', content: 'hello hello hello', method: 8, packed: deflated.subarray(0, -1) },
  ]),
  ...[1, 4, 5000].map((hidden) =>
    zip(`${hidden} bytes behind the end of deflate data`, 'package.data_broken', [
      { name: 'a', content: 'hello hello hello', method: 8, packed: concat([deflated, random(hidden)]) },
    ]),
  ),
  zip('deflate data of no bytes', 'package.data_broken', [
    { name: 'a', content: '', method: 8, packed: new Uint8Array(0) },
  ]),
  zip('a bomb', 'package.ratio_too_high', [{ name: 'a', content: bomb, method: 8 }]),
  zip('a bomb beside incompressible bytes', 'package.ratio_too_high', [
    { name: 'a', content: bomb, method: 8 },
    { name: 'b', content: random(100_000) },
  ]),
  zip(
    'a bomb of many small files',
    'package.ratio_too_high',
    Array.from({ length: 150 }, (_, index) => ({
      name: `f${index}`,
      content: bomb.subarray(0, 60_000),
      method: 8,
    })),
  ),
  zip(
    'more than 10 MB unpacked',
    'package.unpacked_too_large',
    Array.from({ length: 22 }, (_, index) => {
      return { name: `f${index}`, content: concat([random(8000), new Uint8Array(500_000)]), method: 8 }
    }),
  ),
]

function withManifest(
  title: string,
  code: PackageErrorCode,
  text: string | Uint8Array,
  method = 8,
): HostileZip {
  return raw(title, code, makeRawZip([{ name: 'manifest.json', content: text, method }]))
}

const manifests: readonly HostileZip[] = [
  raw('no entries', 'package.manifest_not_found', makeRawZip([])),
  raw(
    'a manifest in a folder',
    'package.manifest_not_found',
    makeRawZip([{ name: 'app/manifest.json', content: '{}' }]),
  ),
  raw(
    'a manifest in capitals',
    'package.manifest_not_found',
    makeRawZip([{ name: 'Manifest.json', content: '{}' }]),
  ),
  withManifest('an empty manifest', 'package.manifest_not_json', ''),
  withManifest('a manifest with a trailing comma', 'package.manifest_not_json', '{"a":1,}'),
  withManifest('a manifest in Latin-1', 'package.manifest_not_json', Uint8Array.of(0x22, 0xe9, 0x22)),
  withManifest('a manifest nested 33 deep', 'package.manifest_too_deep', '['.repeat(33) + ']'.repeat(33)),
  withManifest(
    'a manifest nested 20000 deep',
    'package.manifest_too_deep',
    '['.repeat(20_000) + ']'.repeat(20_000),
  ),
  withManifest('a manifest of 65 KiB', 'package.manifest_too_large', `"${'x'.repeat(65 * 1024)}"`, 0),
  withManifest('a member twice', 'package.manifest_member_repeated', '{"a":[{"b":1,"c":2,"\\u0062":3}]}'),
  withManifest('a NUL character', 'package.manifest_text_illegal', '{"a":"x\\u0000"}'),
  withManifest('half a surrogate pair', 'package.manifest_text_illegal', '{"a":["\\ud800"]}'),
  withManifest('a member named __proto__', 'package.manifest_text_illegal', '{"a":{"__proto__":{}}}'),
]

export const hostileZips: readonly HostileZip[] = [
  ...containers,
  ...entries,
  ...paths,
  ...contents,
  ...manifests,
]
