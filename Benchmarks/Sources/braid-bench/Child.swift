import CBenchSystem
import Foundation

/// Something that went wrong, in words.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A child process, which dies with this one and with its owner.
final class Child {
    let id: Int32
    private let input: FileHandle?
    private let output: FileHandle?
    private let errors: URL
    private let name: String
    private var pending = ""
    private var ended = false

    /// - Parameters:
    ///   - words: the program and its arguments.
    ///   - cpu: the only processor it may use; `nil`: any.
    ///   - talks: whether its standard input and output are ours.
    ///   - errors: the file that its standard error goes to (and its standard output, when it does not talk).
    init(_ words: [String], cpu: Int?, talks: Bool = false, errors: URL) throws {
        name = words.joined(separator: " ")
        self.errors = errors
        let log = open(errors.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw BenchError("\(errors.path): \(String(cString: strerror(errno)))") }
        defer { close(log) }
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        if talks, bench_pipe(&toChild) < 0 || bench_pipe(&fromChild) < 0 { throw BenchError("no pipe") }
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let child = bench_spawn(
            &arguments, [toChild[0], talks ? fromChild[1] : log, log], Int32(cpu ?? -1))
        if talks {
            close(toChild[0])
            close(fromChild[1])
            input = FileHandle(fileDescriptor: toChild[1], closeOnDealloc: true)
            output = FileHandle(fileDescriptor: fromChild[0], closeOnDealloc: true)
        } else {
            input = nil
            output = nil
        }
        guard child > 0 else { throw BenchError("cannot start \(name): \(String(cString: strerror(-child)))") }
        id = child
    }

    /// The next line it prints.
    func readLine(within seconds: Double) throws -> String {
        guard let output else { return "" }
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            if let end = pending.firstIndex(of: "\n") {
                let line = String(pending[..<end])
                pending = String(pending[pending.index(after: end)...])
                return line
            }
            let left = deadline.timeIntervalSinceNow
            guard left > 0 else { throw BenchError("\(name) says nothing\(said)") }
            if bench_wait_readable(output.fileDescriptor, Int32(left * 1000) + 1) == 1 {
                let data = output.availableData
                if data.isEmpty { throw BenchError("\(name) ended early\(said)") }
                pending += String(decoding: data, as: UTF8.self)
            }
        }
    }

    /// What it wrote to its log, for messages.
    var said: String {
        guard let text = try? String(contentsOf: errors, encoding: .utf8), !text.isEmpty else { return "" }
        return ": " + text.suffix(600)
    }

    /// It has ended by itself.
    var hasEnded: Bool { ended || bench_has_ended(id) == 1 }

    /// Ends it.
    func end(_ signal: Int32 = SIGKILL) {
        guard !ended else { return }
        ended = true
        _ = bench_end(id, signal)
    }

    deinit { end() }
}
