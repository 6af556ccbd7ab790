// A client of the echo server, over multipath TCP where that can be had.
//
//     swift run example-echo-client [HOST [PORT]]
import LinuxSystem
import MultipathTCP

@main
struct ExampleEchoClient {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let host = arguments.first ?? "localhost"
        let port = arguments.dropFirst().first.flatMap { UInt16($0) } ?? 8080

        var dialer = MultipathDialer()
        dialer.multipath = true  // off by default
        let connection = try dialer.connect(host: host, port: port)

        try connection.send(Array("Hello, multipath!".utf8))
        try connection.finishSending()
        var answer: [UInt8] = []
        while true {
            let bytes = try connection.receive(upTo: 65536, timeout: .seconds(10))
            if bytes.isEmpty { break }
            answer += bytes
        }
        print(String(decoding: answer, as: UTF8.self))

        // Now that bytes went both ways, the answer is worth something.
        if let reason = connection.notMultipathReason {
            print("not multipath: \(reason)")
        } else {
            print("multipath")
            for subflow in try connection.subflows() { print("  \(subflow.local) -> \(subflow.remote)") }
        }
    }
}
