import CLab
import Glibc

/// Why the lab could not do what it was asked.
public struct LabError: Error, CustomStringConvertible, Sendable {
    /// What was tried, with the names a person needs.
    public let operation: String
    /// The system's error number, or 0 when the system is not to blame.
    public let errno: CInt
    /// What else is known: a command's messages, a hint.
    public let detail: String

    /// - Parameters:
    ///   - operation: What was tried.
    ///   - errno: The system's error number, if any.
    ///   - detail: What else is known.
    public init(_ operation: String, errno: CInt = 0, detail: String = "") {
        self.operation = operation
        self.errno = errno
        self.detail = detail
    }

    /// What was tried, what the system said, and what else is known.
    public var description: String {
        var text = "lab: \(operation)"
        if errno != 0 {
            text += ": \(String(cString: strerror(errno)))"
        }
        return detail.isEmpty ? text : "\(text): \(detail)"
    }
}

/// Turns the `-errno` of a C function into an error.
@discardableResult
func checked(_ result: CInt, _ operation: @autoclosure () -> String) throws(LabError) -> CInt {
    if result < 0 {
        throw LabError(operation(), errno: -result)
    }
    return result
}
