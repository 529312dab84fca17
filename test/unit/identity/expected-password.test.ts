import { describe, expect, test } from 'vitest'
import { isExpectedPassword } from '../../../src/identity/password/expected-password.ts'

const context = {
  email: 'ada.lovelace@engines.example',
  displayName: 'Ada Lovelace',
  platformHost: 'open.teahouse.example',
}

describe('a password that anybody would try first is refused', () => {
  test.each([
    ['a word of every list, with a year', 'Password2026!'],
    ['a word of every list, twice', 'passwordpassword'],
    ['a word of every list, in full-width letters', 'ｐａｓｓｗｏｒｄ１２３４'],
    ['one character', 'aaaaaaaaaaaa'],
    ['a short text again and again', 'abc1abc1abc1abc1'],
    ['a short text again and again, cut off', 'xy7zxy7zxy7zxy'],
    ['a repetition with signs between', 'tea-tea-tea-tea-tea'],
    ['digits in a row', '123456789012'],
    ['digits backwards', '0987654321098'],
    ['a row of the keyboard', 'qwertyuiopas'],
    ['columns of the keyboard', '1qaz2wsx3edc'],
    ['the alphabet', 'abcdefghijkl'],
    ['their own address', 'ada.lovelace@engines.example'],
    ['their own address and a digit', 'Ada.Lovelace@Engines.Example1'],
    ['what stands before the @', 'ada.lovelace1815'],
    ['their own name', 'Ada Lovelace'],
    ['their own name with signs', '**AdaLovelace**'],
    ['the platform’s name', 'stoastoastoa'],
    ['the platform’s name and digits', 'stoa12345678'],
    ['the platform’s address', 'open.teahouse.example'],
    ['我爱你 and a number', 'woaini5201314'],
  ])('%s', (_what, password) => expect(isExpectedPassword(password, context)).toBe(true))
})

describe('a password that only holds such a word is not', () => {
  test.each([
    'correct horse battery staple',
    'a long enough password',
    'stoa is where we sit',
    'ada likes engines',
    '!@#$%^&*()_+-=',
    '一二三四五六七八九十百千',
    'a!@#$%^&*(a)',
    '7f3a91c04be2',
    '🔑🪟🚪🧱🏠🌳🌧️🌞🌈🍵🫖🥮',
  ])('%s', (password) => expect(isExpectedPassword(password, context)).toBe(false))
})
