// An echo server on multipath TCP: off by default, switched on by a setter, asked by a getter, per connection.
//
//     swift run example-echo-server [PORT]
import LinuxSystem
import MultipathTCP

@main
struct ExampleEchoServer {
    static func main() throws {
        let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 8080

        var options = MultipathListener.Options()
        options.multipath = true  // off by default
        let listener = try MultipathListener(on: .any(.ipv6, port: port), options)
        if let reason = listener.notMultipathReason { print("plain TCP only: \(reason)") }
        print("listening on \(listener.address)")

        while true {
            let connection = try listener.accept()
            // A thread for each client keeps the example short.
            try Thread(name: "client") { serve(connection) }.detach()
        }
    }

    static func serve(_ connection: MultipathConnection) {
        do {
            while true {
                let bytes = try connection.receive(upTo: 65536)
                if bytes.isEmpty { break }
                try connection.send(bytes)
            }
            // Asked at the end, for a middlebox may end multipath at any time.
            print("\(connection.remote): multipath \(connection.isMultipath ? "yes" : "no")")
        } catch {
            print("\(connection.remote): \(error)")
        }
    }
}
