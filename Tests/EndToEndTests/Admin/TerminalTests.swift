import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// What the commands write to a terminal.
    @Suite(.serialized) struct TerminalTests {
        @Test func coloursAreForTerminalsThatWantThem() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                func colours(_ environment: [String: String]) throws -> Bool {
                    var variables = ["BRAID_SOCKET": admin.braid.socket, "TERM": "xterm", "NO_COLOR": ""]
                    for (name, value) in environment { variables[name] = value }
                    let output = try admin.host.run(
                        ["python3", "-c", Self.run, BraidProgram.path, "status"], environment: variables)
                    #expect(output.standardOutput.contains("RELAY"))
                    return output.standardOutput.contains("\u{1b}[")
                }
                #expect(try colours([:]))
                #expect(try !colours(["NO_COLOR": "1"]))
                #expect(try !colours(["TERM": "dumb"]))
                #expect(try !admin.command("status").standardOutput.contains("\u{1b}"))
            }
        }

        /// Runs a command on a terminal, and writes what it wrote.
        private static let run = """
            import os, pty, sys
            pid, terminal = pty.fork()
            if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
            while True:
                try: part = os.read(terminal, 65536)
                except OSError: break
                if not part: break
                sys.stdout.write(part.decode())
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """

        @Test func topShowsLinksAndTheBusiestFirst() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar()
                try await Traffic(in: paths.far).serve("127.0.0.1", port: 9000)
                let braid = try await paths.startNear()
                // The idle one is the newest: among equals it would come first.
                let busy = try Traffic(in: paths.near)
                try await busy.down("127.0.0.1", port: 8080)
                try await busy.wait(for: 100_000)
                let idle = try Peer(in: paths.near)
                try await idle.must("c connect 127.0.0.1 8080")
                let output = try paths.near.run(
                    ["python3", "-c", Self.top, BraidProgram.path],
                    environment: ["BRAID_SOCKET": braid.socket, "LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": "1"],
                    timeout: .seconds(60))
                #expect(output.standardOutput == "ok\n", "\(output.standardOutput)\(output.standardError)")
                busy.kill()
            }
        }

        /// Looks at frames until one shows both links with bars and the busy connection before the idle one; then again in a
        /// smaller terminal.
        private static let top = """
            import fcntl, os, pty, select, signal, struct, sys, termios, time
            pid, terminal = pty.fork()
            if pid == 0: os.execv(sys.argv[1], [sys.argv[1], 'top'])
            def size(rows, columns):
                fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
                os.kill(pid, signal.SIGWINCH)
            def until(what, wanted):
                seen, end = '', time.monotonic() + 25
                while True:
                    if time.monotonic() > end: sys.exit(what + ' not seen: ' + seen[-4000:])
                    if select.select([terminal], [], [], 0.2)[0]:
                        seen += os.read(terminal, 65536).decode(errors='ignore')
                    for frame in seen.split('\\x1b[H')[1:-1]:
                        lines = [line.split('\\x1b[K')[0] for line in frame.split('\\r\\n')]
                        if wanted(lines): return
            def row(lines, name): return next((l for l in lines if l.startswith(name + ' ')), '')
            def links(lines):
                both = [row(lines, 'wifi'), row(lines, 'lte')]
                return all(' up ' in l and 'bit/s' in l and ' ms' in l for l in both) \\
                    and any('\\u2588' in l and 'Mbit/s' in l for l in both)
            def sorted_(lines):
                head = next((n for n, l in enumerate(lines) if l.split()[:2] == ['ID', 'RELAY']), None)
                if head is None or len(lines) < head + 3: return False
                first, second = lines[head + 1], lines[head + 2]
                return 'Mbit/s' in first and 'Mbit/s' not in second and '0 bit/s' in second
            until('the first frame', lambda lines: any('q quits' in l for l in lines))
            size(30, 200)
            until('bars and the order', lambda lines: links(lines) and sorted_(lines))
            size(14, 80)
            until('a smaller frame', lambda lines: len(lines) == 14 and all(len(l) <= 80 for l in lines))
            os.write(terminal, b'q')
            while True:
                try:
                    if not os.read(terminal, 65536): break
                except OSError: break
            if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0: sys.exit('status')
            print('ok')
            """
    }
}
