import SystemPackage
import TOML

/// Reads a configuration file and what it includes into one tree.
struct ConfigurationFiles {
    let problems: TOMLProblems
    let substitution: EnvironmentSubstitution
    /// In the order in which they were read: diagnostics are sorted by it.
    private(set) var order: [String] = []
    private var seen: Set<String> = []
    private var merged = TOMLTable()

    /// More text than any configuration has; an accidental `include` of a disk image ends here.
    private static let largestFile = 4 << 20

    init(problems: TOMLProblems, environment: [String: String]) {
        self.problems = problems
        self.substitution = EnvironmentSubstitution(environment: environment, problems: problems)
    }

    mutating func read(path: String) -> TOMLTable {
        add(path: path, includedFrom: nil)
        return merged
    }

    mutating func read(text: [UInt8], file: String) -> TOMLTable {
        add(text: text, file: file)
        return merged
    }

    private mutating func add(path: String, includedFrom: TOMLLocation?) {
        // A file that two patterns match is read once; this also ends circles.
        guard seen.insert(FilePattern.canonical(path)).inserted else { return }
        do throws(Errno) {
            let bytes = try Self.contents(of: path)
            guard bytes.count <= Self.largestFile else {
                order.append(path)
                problems.reportsMissing = false
                let start = TOMLLocation(source: path, line: 1, column: 1)
                problems.report(at: start, "the file is larger than 4 MiB", "name a configuration file")
                return
            }
            add(text: bytes, file: path)
        } catch {
            order.append(path)
            problems.reportsMissing = false
            let location = includedFrom ?? TOMLLocation(source: path, line: 1, column: 1)
            let what = includedFrom == nil ? "the file" : "'\(path)'"
            problems.report(at: location, "\(what) cannot be read: \(error)", "name a file that this user can read")
        }
    }

    private mutating func add(text: [UInt8], file: String) {
        order.append(file)
        let (document, errors) = TOMLDocument.parseRecovering(text, source: file)
        for error in errors { problems.report(at: error.location, error.message, error.remedy) }
        // What was left out of the tree is not missing from the file.
        if !errors.isEmpty { problems.reportsMissing = false }
        guard let document else { return }
        let root = substitution.apply(document.root)
        TableMerge(problems: problems).merge(root, into: &merged, section: nil)
        if let include = root["include"] { addIncludes(include.node, file: file) }
    }

    private mutating func addIncludes(_ node: TOMLNode, file: String) {
        guard case .array(let patterns) = node.value else {
            if !node.isUnusable {
                problems.report(
                    at: node.location, "'include' is \(node.value.kind), not a list",
                    "write include = [\"conf.d/*.toml\"]")
            }
            return
        }
        for pattern in patterns where !pattern.isUnusable {
            guard case .string(let text) = pattern.value, !text.isEmpty, !text.utf8.contains(0) else {
                problems.report(
                    at: pattern.location, "'include' has \(pattern.value.kind) that is no pattern of files",
                    "write one such as \"conf.d/*.toml\"")
                continue
            }
            // Relative to the file that says it, wherever the daemon was started.
            let full = FilePath(file).removingLastComponent().pushing(FilePath(text)).string
            guard let paths = FilePattern.paths(matching: full) else {
                problems.report(
                    at: pattern.location, "'include' needs a directory that cannot be read: '\(full)'",
                    "let this user read it")
                continue
            }
            if paths.isEmpty, !FilePattern.isPattern(text) {
                problems.report(
                    at: pattern.location, "'include' names a file that does not exist: '\(full)'",
                    "create it, or remove this")
            }
            for path in paths { add(path: path, includedFrom: pattern.location) }
        }
    }

    /// Reads at most one byte more than the limit.
    private static func contents(of path: String) throws(Errno) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while bytes.count <= largestFile {
                    let count = try unsafe chunk.withUnsafeMutableBytes { buffer in try unsafe file.read(into: buffer) }
                    if count == 0 { break }
                    bytes += chunk[..<count]
                }
                return bytes
            }
        } catch let error as Errno {
            throw error
        } catch {
            throw .ioError
        }
    }
}
