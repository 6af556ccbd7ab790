internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// The pipes of a loop. A flow borrows one by its index while bytes are in flight; the pool owns the descriptors.
struct PipePool: ~Copyable {
    private var pipes = UniqueArray<Pipe?>()
    private var free: [Int32] = []
    private var emptyIndices: [Int32] = []
    /// Pipes lent out now.
    private(set) var inUse = 0

    init() {
        free.reserveCapacity(Tuning.pipesKept + 1)
    }

    /// Borrows an empty pipe; `nil` when as many as may be are in use or the system has none: then the flow copies.
    mutating func take() -> Int32? {
        if let index = free.popLast() {
            inUse += 1
            return index
        }
        guard inUse < Tuning.pipesInUse else { return nil }
        let pipe: Pipe
        do throws(Errno) {
            pipe = try Pipe(capacity: Tuning.pipeCapacity)
        } catch {
            return nil
        }
        // A pipe that the kernel kept small (fs.pipe-user-pages-soft) is worse than copying.
        guard pipe.capacity >= Tuning.scratchSize else { return nil }
        inUse += 1
        if let index = emptyIndices.popLast() {
            pipes[Int(index)] = consume pipe
            return index
        }
        pipes.append(consume pipe)
        return Int32(pipes.count - 1)
    }

    /// Gives back an empty pipe.
    mutating func give(_ index: Int32) {
        inUse -= 1
        if free.count < Tuning.pipesKept {
            free.append(index)
        } else {
            close(index)
        }
    }

    /// Closes a borrowed pipe that still holds bytes: the next flow must not get them.
    mutating func discard(_ index: Int32) {
        inUse -= 1
        close(index)
    }

    private mutating func close(_ index: Int32) {
        pipes[Int(index)] = nil
        emptyIndices.append(index)
    }

    /// The ends of a borrowed pipe and how much it holds.
    func ends(_ index: Int32) -> (read: CInt, write: CInt, capacity: Int) {
        switch pipes[Int(index)] {
        case .some(let pipe): (pipe.readEnd.raw, pipe.writeEnd.raw, pipe.capacity)
        case .none: preconditionFailure("a pipe that was given back is used")
        }
    }
}
