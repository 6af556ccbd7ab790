internal import CLinux
public import SystemPackage

/// The file that a Unix listener leaves behind. unix(7).
public enum UnixSocketFile {
    /// Sets who may connect, before anybody can: between `bind` and `listen`. The corresponding function is `chmod`.
    public static func set(mode: UInt32, of path: String) throws(Errno) {
        _ = try check(unsafe linux_set_mode(path, mode))
    }

    /// Removes the socket at `path`; nothing there is fine.
    ///
    /// - Throws: `Errno.fileExists` when what is there is no socket; any error of `unlink`.
    public static func remove(_ path: String) throws(Errno) {
        _ = try check(unsafe linux_remove_socket_file(path))
    }
}
