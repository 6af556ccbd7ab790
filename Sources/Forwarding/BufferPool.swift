internal import LinuxSystem

/// Buffers for bytes that a destination did not take yet, in two sizes. A flow holds a buffer by its index; the pool owns
/// the memory.
///
/// Safety: the memory of an index is touched only between `take` and `give` of that index, by the loop that owns the pool,
/// and lives until the pool is destroyed or the index is trimmed while free.
@safe
struct BufferPool: ~Copyable {
    private var memory: [UnsafeMutableRawBufferPointer] = unsafe []
    private var freeSmall: [Int32] = []
    private var freeLarge: [Int32] = []
    private var freeIndices: [Int32] = []

    init() {
        unsafe memory.reserveCapacity(64)
        freeSmall.reserveCapacity(Tuning.buffersKept + 1)
        freeLarge.reserveCapacity(Tuning.buffersKept + 1)
    }

    deinit {
        for index in unsafe memory.indices { unsafe memory[index].deallocate() }
    }

    /// Borrows a buffer of `Tuning.scratchSize`, or of `Tuning.smallBufferSize` when that is enough for `count`.
    mutating func take(for count: Int) -> Int32 {
        if count <= Tuning.smallBufferSize {
            return freeSmall.popLast() ?? allocate(Tuning.smallBufferSize)
        }
        return freeLarge.popLast() ?? allocate(Tuning.scratchSize)
    }

    /// Gives a buffer back. A few stay for the next flow; the others are freed.
    mutating func give(_ index: Int32) {
        let buffer = unsafe memory[Int(index)]
        if buffer.count == Tuning.smallBufferSize {
            if freeSmall.count < Tuning.buffersKept { return freeSmall.append(index) }
        } else if freeLarge.count < Tuning.buffersKept {
            return freeLarge.append(index)
        }
        unsafe buffer.deallocate()
        unsafe memory[Int(index)] = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        freeIndices.append(index)
    }

    /// The memory of a borrowed buffer.
    subscript(index: Int32) -> UnsafeMutableRawBufferPointer {
        unsafe memory[Int(index)]
    }

    private mutating func allocate(_ size: Int) -> Int32 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
        if let index = freeIndices.popLast() {
            unsafe memory[Int(index)] = buffer
            return index
        }
        unsafe memory.append(buffer)
        return Int32(unsafe memory.count - 1)
    }
}
