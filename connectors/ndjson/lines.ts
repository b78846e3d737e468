/** One line of a byte stream without its line end; `tooLong` ones carry only their beginning. */
export interface Line {
  /** From 0. */
  readonly number: number
  readonly bytes: Buffer
  readonly tooLong: boolean
}

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** The lines of a byte stream, ended by LF or CRLF, a chunk's worth at a time; memory is bounded by `maxBytes` per line. */
export async function* lines(bytes: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line[]> {
  let parts: Buffer[] = []
  let length = 0
  let number = 0
  const add = (part: Buffer) => {
    if (length <= maxBytes) parts.push(part)
    length += part.length
  }
  const take = (): Line => {
    const tooLong = length > maxBytes
    let line = tooLong ? parts[0].subarray(0, 256) : parts.length === 1 ? parts[0] : Buffer.concat(parts)
    if (line.at(-1) === CARRIAGE_RETURN) line = line.subarray(0, -1)
    parts = []
    length = 0
    return { number: number++, bytes: line, tooLong }
  }
  for await (const chunk of bytes) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const whole: Line[] = []
    let start = 0
    for (let end = buffer.indexOf(LINE_FEED); end >= 0; end = buffer.indexOf(LINE_FEED, start)) {
      add(buffer.subarray(start, end))
      start = end + 1
      whole.push(take())
    }
    if (start < buffer.length) add(buffer.subarray(start))
    if (whole.length > 0) yield whole
  }
  if (length > 0) yield [take()]
}
