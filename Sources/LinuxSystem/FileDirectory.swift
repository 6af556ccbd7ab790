internal import CLinux
public import SystemPackage

/// A directory of the file system.
public enum FileDirectory {
    /// Makes a directory; one that is there already is fine. The corresponding function is `mkdir`.
    ///
    /// - Throws: `Errno.permissionDenied`, `.noSuchFileOrDirectory` without its parent, and any other of `mkdir`.
    public static func make(_ path: String, mode: UInt32) throws(Errno) {
        do throws(Errno) {
            _ = try check(unsafe linux_make_directory(path, mode))
        } catch {
            if error != .fileExists { throw error }
        }
    }
}
