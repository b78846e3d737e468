declare module 'kafkajs-snappy' {
  const snappy: () => {
    compress(encoder: { buffer: Buffer }): Promise<Buffer>
    decompress(bytes: Buffer): Promise<Buffer>
  }
  export default snappy
}
