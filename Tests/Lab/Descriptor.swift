import CLab

/// An open file descriptor with one owner, who closes it.
struct Descriptor: ~Copyable, Sendable {
    let number: CInt

    /// Takes over an open descriptor.
    init(owning number: CInt) {
        self.number = number
    }

    deinit {
        // A descriptor is gone whatever close says, and nothing here can be done about a late write error.
        _ = clab_close(number)
    }

    /// Gives the descriptor to somebody else, who closes it.
    consuming func release() -> CInt {
        let number = number
        discard self
        return number
    }
}
