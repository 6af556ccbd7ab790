internal import Glibc

/// Read access to this process's environment.
enum Environment {
    /// The value of the variable `name`, or nil when it is not set or empty.
    ///
    /// The corresponding C function is `getenv`.
    static func value(of name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
