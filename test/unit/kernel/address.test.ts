import { describe, expect, test } from 'vitest'
import { findRefusedAddress, isLoopbackAddress, isPublicAddress } from '../../../src/kernel/address.ts'

describe('not public', () => {
  test.each<[string, readonly string[]]>([
    ['this host', ['0.0.0.0', '0.255.255.255', '::']],
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
    ['private', ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1']],
    [
      'carrier-grade NAT, the metadata of one cloud in it',
      ['100.64.0.1', '100.100.100.200', '100.127.255.255'],
    ],
    [
      'link-local, the metadata of most clouds in it',
      ['169.254.169.254', '169.254.170.2', 'fe80::1', 'febf::1'],
    ],
    ['the way to the host of a virtual machine', ['168.63.129.16']],
    ['IETF protocol assignments, metadata in it', ['192.0.0.1', '192.0.0.192']],
    ['documentation', ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1', '3fff:fff::1']],
    ['benchmarking', ['198.18.0.1', '198.19.255.255', '2001:2::1']],
    ['6to4', ['192.88.99.1', '2002:7f00:1::', '2002:a00:1::', '2002:808:808::1']],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1']],
    ['class E and broadcast', ['240.0.0.1', '255.255.255.254', '255.255.255.255']],
    [
      'IPv4-mapped, of whatever address',
      ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::ffff:a00:1'],
    ],
    ['IPv4-compatible and IPv4-translated', ['::127.0.0.1', '::a00:1', '::ffff:0:7f00:1']],
    ['NAT64', ['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1', '64:ff9b:1:ffff::a00:1']],
    [
      'unique local, the metadata of two clouds in it',
      ['fc00::1', 'fd00:ec2::254', 'fd20:ce::254', 'fdff::1'],
    ],
    ['site-local, as it once was', ['fec0::1']],
    ['Teredo and ORCHID', ['2001::1', '2001:0:7f00:1::', '2001:10::1', '2001:20::1']],
    ['discard-only and segment routing', ['100::1', '5f00::1']],
    ['ISATAP', ['2a00:1450::5efe:a00:1', '2a00:1450:1:1:0:5efe:10.0.0.1', '2a00:1450::200:5efe:7f00:1']],
    [
      'no address at all',
      [
        '',
        'localhost',
        '127.1',
        '0x7f.0.0.1',
        '2130706433',
        '10.0.0.1/8',
        '::1%lo',
        'fe80::1%eth0',
        '2600::1%eth0',
      ],
    ],
  ])('%s', (_what, addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([])
  })
})

test('public, on either side of what is not', () => {
  const addresses = [
    ...[
      '1.1.1.1',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
    ],
    ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
    ...['198.17.255.255', '198.20.0.0', '223.255.255.255', '168.63.129.15'],
    ...[
      '2600::',
      '2606:4700::1111',
      '2a00:1450:4001::1',
      '2001:200::1',
      '2003::1',
      '3ffe::1',
      '2a00::5eff:a00:1',
    ],
  ]
  expect(addresses.filter((address) => !isPublicAddress(address))).toEqual([])
})

// The URL parser gives the address in its plain form, whatever form it was written in.
test.each([
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://127.0.0.1./',
  'http://１２７.０.０.１/',
  'http://[::ffff:127.0.0.1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://0xA9FEA9FE/latest/meta-data',
  'http://169.254.43518/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[64:ff9b::169.254.169.254]/',
])('%s names no public address', (text) => {
  expect(isPublicAddress(new URL(text).hostname.replace(/^\[|\]$/g, ''))).toBe(false)
})

describe('a name’s answers', () => {
  test('are refused when one of them is private, wherever it stands', () => {
    expect(findRefusedAddress(['1.1.1.1', '10.0.0.1'], false)).toBe('10.0.0.1')
    expect(findRefusedAddress(['::ffff:7f00:1', '1.1.1.1'], false)).toBe('::ffff:7f00:1')
    expect(findRefusedAddress(['1.1.1.1', '2606:4700::1111'], false)).toBeNull()
  })

  test('may be of this machine only where that is allowed, and nothing else private', () => {
    expect(findRefusedAddress(['127.0.0.1', '::1'], true)).toBeNull()
    expect(findRefusedAddress(['127.0.0.1', '::1'], false)).toBe('127.0.0.1')
    expect(findRefusedAddress(['127.0.0.1', '192.168.0.1'], true)).toBe('192.168.0.1')
  })
})

test('loopback in another spelling is not taken for loopback', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1'].every(isLoopbackAddress)).toBe(true)
  expect(['::ffff:127.0.0.1', '64:ff9b::7f00:1', '0.0.0.0', 'localhost'].some(isLoopbackAddress)).toBe(false)
})
