import Glibc

/// Shell patterns of file names.
enum FilePattern {
    static func isPattern(_ text: String) -> Bool {
        text.contains { "*?[".contains($0) }
    }

    /// The paths that match (glob(3)), in byte order whatever the locale; nil if a directory cannot be read.
    static func paths(matching pattern: String) -> [String]? {
        var matches = unsafe glob_t()
        defer { unsafe globfree(&matches) }
        let status = unsafe glob(
            pattern, GLOB_NOSORT, { _, code in code == ENOENT || code == ENOTDIR ? 0 : 1 }, &matches)
        if status == GLOB_NOMATCH { return [] }
        guard status == 0 else { return nil }
        var paths: [String] = []
        for index in 0..<Int(unsafe matches.gl_pathc) {
            // gl_pathv has gl_pathc entries after a success (glob(3)).
            if let path = unsafe matches.gl_pathv[index] { paths.append(unsafe String(cString: path)) }
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The path without symbolic links and dots (realpath(3)); as it is if there is no such file.
    static func canonical(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }
}
