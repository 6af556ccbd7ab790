import CFuzzer
import Glibc
import ServiceManager

/// Takes over sockets by what each input says in three lines: LISTEN_FDS, LISTEN_FDNAMES, and LISTEN_PID, which is this
/// process's own when the line is missing. Descriptors 3 and 4 are there.
///
///     make fuzz FUZZERS=FuzzInheritedSockets
@main
struct FuzzInheritedSockets {
    static func main() {
        // Whatever this program was started with is not to be closed for a third socket.
        for number in 3..<256 as Range<CInt> { close(number) }
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
            let lines = bytes.split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false).map { Array($0) }
            let pid = lines.count > 2 ? lines[2] : Array(String(getpid()).utf8)
            let names = ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"]
            for (name, value) in zip(names, [lines[0], lines.count > 1 ? lines[1] : [], pid]) {
                unsafe fuzzer_set_environment(name, value, value.count)
            }
            for number in [3, 4] as [CInt] { dup2(2, number) }
            do throws(InheritedSocketError) {
                var sockets = try InheritedSockets.take()
                precondition(sockets.names.count <= 2)
                for name in sockets.names {
                    do throws(InheritedSocketError) {
                        if let listener = try sockets.takeListener(named: name) {
                            preconditionFailure("standard error does not listen: \(listener.name)")
                        }
                    } catch {
                        precondition(!error.description.isEmpty)
                    }
                }
            } catch {
                precondition(!error.description.isEmpty)
            }
            return 0
        }
        exit(status)
    }
}
