import CLab
import Glibc

extension Host {
    /// Runs a command in the host and waits until it has ended. It, and all it left in its process group, is killed
    /// when its time is up.
    ///
    /// - Parameters:
    ///   - arguments: The command, found along PATH, and its arguments.
    ///   - input: What it reads from its standard input, at most 64 KiB.
    ///   - environment: Variables to set besides those of this process.
    ///   - expecting: The exit status without which it is an error; `nil` takes any, and signals too.
    ///   - timeout: How long at most.
    /// - Returns: What it wrote, and how it ended.
    @discardableResult
    public func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], expecting: Int32? = 0,
        timeout: Duration = .seconds(20)
    ) throws(LabError) -> CommandOutput {
        try namespace.run(
            arguments, input: input, environment: environment, expecting: expecting, timeout: timeout)
    }

    /// Runs a command in the host and waits until it has ended, which must be with exit status 0.
    ///
    /// - Parameter arguments: The command, found along PATH, and its arguments.
    @discardableResult
    public func run(_ arguments: String...) throws(LabError) -> CommandOutput {
        try run(arguments)
    }

    /// Runs a command in the host as a shell would run it in the foreground: with this process's terminal, standard
    /// input, output and error, in its process group. Waits until it has ended.
    ///
    /// - Parameters:
    ///   - arguments: The command, found along PATH, and its arguments.
    ///   - environment: Variables to set besides those of this process.
    public func foreground(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws(LabError) -> ProcessExit {
        let launch = Launch(
            arguments: arguments, environment: environment, netns: namespace.descriptor.number, ownGroup: false)
        let started = try launch.start(descriptors: [0, 1, 2])
        let pidfd = Descriptor(owning: started.pidfd)
        var polled = pollfd(fd: pidfd.number, events: Int16(POLLIN), revents: 0)
        while clab_poll(&polled, 1, -1) <= 0 {}
        var exit = clab_exit()
        try checked(clab_wait(started.pid, true, &exit), "wait for \(arguments.joined(separator: " "))")
        return ProcessExit(exit)
    }

    /// Starts a process in the host. It is killed when the lab ends.
    ///
    /// - Parameters:
    ///   - arguments: The command, found along PATH, and its arguments.
    ///   - environment: Variables to set besides those of this process.
    ///   - directory: Where it starts; `nil`: where this process is.
    ///   - input: Whether to give it a pipe to read from (`write(_:)`); otherwise it reads from `/dev/null`.
    ///   - descriptors: Descriptors it gets as 3, 4, …, besides standard input, output and error.
    @discardableResult
    public func spawn(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil, input: Bool = false,
        descriptors: [Int32] = []
    ) throws(LabError) -> HostProcess {
        let launch = Launch(
            arguments: arguments, environment: environment, directory: directory,
            netns: namespace.descriptor.number)
        let process = try HostProcess(launch, input: input, extra: descriptors)
        try state.adopt(process)
        return process
    }

    /// Starts a process in the host. It is killed when the lab ends.
    ///
    /// - Parameter arguments: The command, found along PATH, and its arguments.
    @discardableResult
    public func spawn(_ arguments: String...) throws(LabError) -> HostProcess {
        try spawn(arguments)
    }

    /// Waits until a TCP or MPTCP socket listens on a port in the host.
    ///
    /// The kernel reports no event when a socket begins to listen, so this looks every few milliseconds.
    ///
    /// - Parameters:
    ///   - port: The port, on whatever address.
    ///   - process: Who is to listen: when it has ended, waiting ends with an error.
    ///   - timeout: How long at most.
    public func waitForListener(
        port: UInt16, of process: HostProcess? = nil, timeout: Duration = .seconds(10)
    ) async throws(LabError) {
        let deadline = ContinuousClock.now + timeout
        while try !listens(port: port) {
            if let process, let exit = process.exit {
                throw LabError(
                    "\(name): wait for a listener on port \(port): its process ended with \(exit.status)",
                    detail: process.lines.suffix(20).joined(separator: "\n"))
            }
            guard ContinuousClock.now < deadline else {
                throw LabError("\(name): wait for a listener on port \(port): not within \(timeout)")
            }
            do {
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                throw LabError("\(name): wait for a listener on port \(port)", errno: ECANCELED)
            }
        }
    }

    /// Whether a TCP or MPTCP socket listens on a port in the host.
    ///
    /// - Parameter port: The port, on whatever address.
    public func listens(port: UInt16) throws(LabError) -> Bool {
        let hex = String(port, radix: 16, uppercase: true)
        let wanted = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        for file in ["tcp", "tcp6"] {
            for line in try read("/proc/thread-self/net/\(file)").split(separator: "\n").dropFirst() {
                let words = line.split(separator: " ", maxSplits: 4)
                // sl, local_address, rem_address, st: 0A is TCP_LISTEN.
                if words.count > 3, words[3] == "0A", words[1].hasSuffix(wanted) {
                    return true
                }
            }
        }
        return false
    }
}

extension Host.Namespace {
    @discardableResult
    func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], expecting: Int32? = 0,
        timeout: Duration = .seconds(20), descriptors: [CInt] = []
    ) throws(LabError) -> CommandOutput {
        let command = "\(name): \(arguments.joined(separator: " "))"
        let inputPipe = try ProcessPipe()
        let output = try ProcessPipe()
        let error = try ProcessPipe()
        let bytes = Array(input.utf8)
        precondition(bytes.count <= 65536, "a command's input has to fit into a pipe")
        try checked(CInt(clamping: clab_write(inputPipe.writeEnd.number, bytes, bytes.count)), command)
        let launch = Launch(arguments: arguments, environment: environment, netns: descriptor.number)
        let started = try launch.start(
            descriptors: [inputPipe.readEnd.number, output.writeEnd.number, error.writeEnd.number] + descriptors)
        _ = inputPipe.takeReadEnd()

        var texts: [[UInt8]] = [[], []]
        var exit = clab_exit()
        var ended = false
        // Whatever happens below, the process and its group are gone afterwards.
        defer {
            if !ended { _ = clab_kill(-started.pid, SIGKILL) }
            clab_forget_group(started.pid)
            while clab_wait(started.pid, true, &exit) == 0 { _ = clab_poll(nil, 0, 500_000) }
        }
        var pump = try OutputPump(
            output: output.takeReadEnd(), error: error.takeReadEnd(), pidfd: Descriptor(owning: started.pidfd))
        ended = pump.run(until: clab_monotonic_ns() + timeout.wholeNanoseconds) { stream, bytes in
            texts[stream == .output ? 0 : 1].append(contentsOf: bytes)
        }
        let said = texts.map { String(decoding: $0, as: UTF8.self) }
        guard ended else {
            throw LabError("\(command): not done after \(timeout)", detail: said.joined())
        }
        _ = clab_kill(-started.pid, SIGKILL)
        _ = clab_wait(started.pid, false, &exit)
        let result = CommandOutput(exit: ProcessExit(exit), standardOutput: said[0], standardError: said[1])
        if let expecting, result.status != .exited(expecting) {
            throw LabError("\(command): \(result.status)", detail: said[1].isEmpty ? said[0] : said[1])
        }
        return result
    }
}
