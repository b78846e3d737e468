/**
 * A record's place among equals, uniform in [0, 1) and always the same for the same id: FNV-1a over the prefix, the
 * offset mixed in (Murmur3's finaliser).
 */
export function placeOf(prefix: string, offset: number): number {
  let h = 0x811c9dc5
  for (let i = 0; i < prefix.length; i++) h = Math.imul(h ^ prefix.charCodeAt(i), 0x01000193)
  h = mixed(h ^ ((offset % 2 ** 32) | 0))
  h = mixed(h ^ Math.floor(offset / 2 ** 32))
  return (h >>> 0) / 2 ** 32
}

function mixed(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
