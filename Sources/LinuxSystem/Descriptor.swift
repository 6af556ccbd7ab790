internal import CLinux
public import SystemPackage

/// A file descriptor with exactly one owner: it closes itself at the end of its owner's life.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for calls that take one. It stays owned by this value.
    public let raw: CInt

    /// Takes over an open descriptor; nothing else may close it from here on.
    public init(owning raw: CInt) {
        precondition(raw >= 0, "a descriptor is not negative")
        self.raw = raw
    }

    deinit {
        linux_close(raw)
    }

    /// Gives the descriptor up without closing it; the caller owns the number.
    public consuming func release() -> CInt {
        let raw = self.raw
        discard self
        return raw
    }

    /// A second descriptor, closed on exec, for the same open file. The corresponding call is `fcntl(F_DUPFD_CLOEXEC)`.
    ///
    /// - Throws: `Errno` (`.tooManyOpenFiles`).
    public borrowing func duplicate() throws(Errno) -> Descriptor {
        Descriptor(owning: try check(linux_duplicate(raw)))
    }
}

/// Turns the answer of a C wrapper (a value, or a negative errno) into a value or an error.
@inlinable
public func check(_ answer: CInt) throws(Errno) -> CInt {
    if answer < 0 { throw Errno(rawValue: -answer) }
    return answer
}

/// Turns the answer of a C wrapper (a count, or a negative errno) into a count or an error.
@inlinable
public func check(_ answer: Int64) throws(Errno) -> Int {
    if answer < 0 { throw Errno(rawValue: CInt(truncatingIfNeeded: -answer)) }
    return Int(answer)
}
