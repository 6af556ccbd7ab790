internal import LinuxSystem

/// What a loop lends to its flows: a scratch buffer for one read, buffers and pipes for what waits.
///
/// Safety: `scratch` is one of the pool's buffers, borrowed for as long as the loop lives, or until it is swapped for
/// another when its bytes have to wait.
struct Carriers: ~Copyable {
    var pipes = PipePool()
    var buffers = BufferPool()
    private(set) var scratchIndex: Int32

    init() {
        scratchIndex = buffers.take(for: Tuning.scratchSize)
    }

    /// Memory for one read, at most `Tuning.scratchSize` bytes.
    var scratch: UnsafeMutableRawBufferPointer { unsafe buffers[scratchIndex] }

    /// Keeps the bytes `range` of the scratch buffer for later: few are copied, many take the scratch buffer with them.
    ///
    /// - Returns: the buffer that holds them, and where in it they begin.
    mutating func keepScratch(from start: Int, count: Int) -> (index: Int32, offset: Int) {
        if count <= Tuning.smallBufferSize {
            let index = buffers.take(for: count)
            unsafe buffers[index].copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[start..<start + count]))
            return (index, 0)
        }
        let index = scratchIndex
        scratchIndex = buffers.take(for: Tuning.scratchSize)
        return (index, start)
    }
}
