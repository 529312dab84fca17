/** Whose password it will be: what anybody would try first. */
export interface PasswordContext {
  readonly email: string
  readonly displayName: string
  /** Host name under which the platform is reached. */
  readonly platformHost: string
}

// What lists of leaked passwords begin with, as far as length does not rule it out by itself: the word alone, several
// times, or with digits and signs around it.
const commonWords = new Set(
  `password passwort passwords motdepasse contrasena senha parola mima
   qwerty qwertyuiop qwertyuiopasdfgh qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm asdfgh asdfghjkl zxcvbnm
   qazwsx qazwsxedc qazwsxedcrfv qweasdzxc qweasd azerty azertyuiop
   letmein letmeinplease welcome welcomeback welcomehome changeme changemenow changethis pleasechangeme
   admin administrator root toor sysadmin superuser default guest test testtest tester temp temporary secret secrets
   topsecret mysecret access login signin user username master hello helloworld iloveyou iloveyouforever
   loveyou lovely sunshine princess dragon monkey football baseball basketball superman batman pokemon starwars
   trustno whatever computer internet samsung google facebook linkedin microsoft apple michael jordan jennifer ashley
   charlie shadow freedom flower cheese killer summer winter spring autumn january monday
   abc abcd abcde abcdef abcabc xyz mypassword yourpassword thisismypassword thepassword passphrase mypassphrase
   woaini woaininima woaiwojia nihao zhongguo beijing shanghai taobao alibaba tencent weixin
   company store shop merchant developer reviewer owner`.split(/\s+/),
)

// Product and standards' own words: "Context-specific words, such as the name of the service".
const platformWords = ['stoa', 'openplatform', 'platform']

const rows = [
  '1234567890',
  'qwertyuiopasdfghjklzxcvbnm',
  'abcdefghijklmnopqrstuvwxyz',
  '1q2w3e4r5t6y7u8i9o0p',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
]
// Shorter texts are parts of many a good password.
const patternLengthMin = 8

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

const letters = (text: string) => text.replaceAll(/[^\p{L}\p{N}]/gu, '')
const withoutEnds = (text: string) => text.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, '')

/** The shortest text that, written again and again, gives this one: "abcabcab" is "abc". */
function unitOf(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1)
    if (text.slice(length) === text.slice(0, text.length - length)) return text.slice(0, length)
  return text
}

/** A repeated text is worth as much as one of it, which may be too short for any password. */
function isRepetition(text: string): boolean {
  const unit = unitOf(text)
  return text.length >= patternLengthMin && unit !== text && unit.length < patternLengthMin
}

/** One walk along the keyboard or the alphabet, forwards or backwards, round its end. */
function isWalk(text: string): boolean {
  if (text.length < patternLengthMin) return false
  return rows.some((row) => {
    const reversed = [...row].reverse().join('')
    return [row, reversed].some((line) =>
      line.repeat(Math.ceil(text.length / line.length) + 1).includes(text),
    )
  })
}

function expectedWords({ email, displayName, platformHost }: PasswordContext): readonly string[] {
  const [local = '', domain = ''] = plain(email).split('@')
  const hosts = [domain, plain(platformHost)].flatMap((host) => [host, ...host.split('.')])
  const names = plain(displayName).split(/\s+/)
  return [local, `${local}${domain}`, ...hosts, plain(displayName), ...names, ...platformWords]
    .map(letters)
    .filter((word) => word.length >= 3)
}

/**
 * Whether a password is one that is tried first. NIST SP 800-63B §5.1.1.2: "verifiers SHALL compare the prospective
 * secrets against a list that contains values known to be commonly-used, expected, or compromised", for example
 * "Repetitive or sequential characters" and "Context-specific words, such as the name of the service, the username, and
 * derivatives thereof". The whole password is compared, never a part: a word of the list may be one of several.
 */
export function isExpectedPassword(password: string, context: PasswordContext): boolean {
  const text = plain(password)
  const bare = letters(text)
  if (isRepetition(text) || isRepetition(bare) || isWalk(bare)) return true
  const unit = unitOf(bare)
  const expected = new Set(expectedWords(context))
  const candidates = [bare, letters(withoutEnds(text)), unit]
  return candidates.some((candidate) => commonWords.has(candidate) || expected.has(candidate))
}
