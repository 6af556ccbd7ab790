public import SystemPackage

extension Errno {
    /// No such device (`ENODEV`), which the system package does not name.
    public static var noSuchDevice: Errno { Errno(rawValue: 19) }
}
