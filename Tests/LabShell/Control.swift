import ArgumentParser
import CLab
import Glibc

/// `braid-lab control`, in the shell simply `lab`: asks the running lab for something.
struct Control: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control", abstract: "Show or change the running lab (in its shell: `lab`).", shouldDisplay: false)

    static let help = """
        lab status                                 the links: what they are like, what they did
        lab far COMMAND…                           run a command in host far
        lab near COMMAND…                          run a command in host near
        lab link NAME blackhole on|off [DIRECTION] let packets vanish silently
        lab link NAME carrier down|up              unplug the cable, or plug it in
        lab link NAME rate 10mbit [DIRECTION]      change the rate,
        lab link NAME delay 20ms [DIRECTION]       the one-way delay,
        lab link NAME loss 2% [DIRECTION]          the loss,
        lab link NAME queue 64k [DIRECTION]        how many bytes may wait
        lab help                                   this text
        DIRECTION is up (from near to far), down, or both, which it is when not given.
        """

    @Argument(parsing: .captureForPassthrough, help: "What to do; `help` lists it.")
    var words: [String] = []

    func run() throws {
        guard let socket = getenv("BRAID_LAB") else {
            throw ValidationError("not in a lab's shell: BRAID_LAB is not set")
        }
        if words.isEmpty || words == ["help"] || words == ["--help"] || words == ["-h"] {
            print(Self.help)
            return
        }
        let answer = try ask(String(cString: socket), words.joined(separator: "\n"))
        // The first line says what kind of answer it is.
        let kind = answer.prefix { $0 != "\n" }
        let text = String(answer.dropFirst(kind.count + 1))
        switch kind {
        case "ok":
            print(text, terminator: "")
        case "enter":
            let command = words.dropFirst().isEmpty ? ["sh"] : Array(words.dropFirst())
            let arguments = ["nsenter", "--net=\(text)", "--"] + command
            execvp("nsenter", arguments.map { strdup($0) } + [nil])
            throw ValidationError("cannot run nsenter")
        default:
            let bytes = Array("lab: \(text)".utf8)
            _ = clab_write(2, bytes, bytes.count)
            throw ExitCode(1)
        }
    }

    private func ask(_ path: String, _ question: String) throws -> String {
        let connection = clab_unix_connect(path)
        guard connection >= 0 else { throw ValidationError("the lab does not answer at \(path)") }
        defer { clab_close(connection) }
        let bytes = Array(question.utf8)
        guard clab_write(connection, bytes, bytes.count) == bytes.count, clab_unix_finish(connection) == 0 else {
            throw ValidationError("the lab does not listen at \(path)")
        }
        return readAll(connection)
    }
}

/// Everything that comes until the other side has finished.
func readAll(_ descriptor: CInt) -> String {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let got = clab_read(descriptor, &buffer, buffer.count)
        guard got > 0 else { return String(decoding: text, as: UTF8.self) }
        text.append(contentsOf: buffer[..<got])
    }
}
