import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// What the system refuses ends the program with status 71, and names the line that asks for it.
    @Suite(.serialized) struct BadInputStartTests {
        /// Root without any capability: what an ordinary user is, in a user namespace too, where there is no other.
        static let unprivileged = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

        static func relay(_ listen: String, _ upstream: String = "echo://", more: String = "") -> String {
            "[[relay]]\nlisten = \"\(listen)\"\nupstream = \"\(upstream)\"\n\(more)\n"
        }

        /// Expects a start to be refused with status 71 and a message that begins and goes on like this.
        private func expectRefusal(
            _ config: String, in host: Host, prefix: [String] = [], _ place: String, _ parts: String...
        ) throws {
            let refusal = try BraidProgram.refusal(config: config, in: host, prefix: prefix)
            #expect(refusal.status == .exited(71), "\(refusal.message)")
            let last = refusal.message.split(separator: "\n").last ?? ""
            #expect(last.hasPrefix("braid.toml:\(place): error: "), "\(refusal.message)")
            for part in parts { #expect(last.contains(part), "\(part) in:\n\(refusal.message)") }
        }

        @Test(arguments: ["tcp", "mptcp"]) func anAddressInUse(_ scheme: String) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 8080")
                try expectRefusal(
                    Self.relay("\(scheme)://127.0.0.1:8080"), in: host, "2:10", "127.0.0.1:8080", "in use", "ss -ltnp")
                // Who was there before still is.
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("s accept a")
            }
        }

        @Test func theSecondOfSeveralAddressesInUse() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 8081")
                let config =
                    "[[relay]]\nlisten = [\n  \"tcp://127.0.0.1:8080\",\n  \"tcp://127.0.0.1:8081\",\n]\nupstream = \"echo://\"\n"
                try expectRefusal(config, in: host, "4:3", "127.0.0.1:8081", "in use")
            }
        }

        @Test func aLowPortWithoutTheCapability() throws {
            try Lab.with { lab in
                try expectRefusal(
                    Self.relay("tcp://127.0.0.1:80"), in: try lab.host("alone"), prefix: Self.unprivileged, "2:10",
                    "Permission denied", "CAP_NET_BIND_SERVICE")
            }
        }

        @Test func aMarkWithoutTheCapability() throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                let relay = Self.relay(
                    "tcp://127.0.0.1:8080", "tcp://127.0.0.1:9000", more: "socket = { upstream = { mark = 7 } }")
                try expectRefusal(
                    relay, in: host, prefix: Self.unprivileged, "4:32", "SO_MARK", "CAP_NET_ADMIN")
            }
        }

        @Test func anInterfaceThatIsNotThere() throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                for side in ["listen", "upstream"] {
                    let relay = Self.relay(
                        "tcp://127.0.0.1:8080", "tcp://127.0.0.1:9000",
                        more: "socket = { \(side) = { bind-interface = \"wwan7\" } }")
                    let refusal = try BraidProgram.refusal(config: relay, in: host)
                    #expect(refusal.status == .exited(71), "\(refusal.message)")
                    #expect(refusal.message.contains("braid.toml:"), "\(refusal.message)")
                    #expect(refusal.message.contains("No such device"), "\(refusal.message)")
                }
            }
        }

        @Test func addressesThatThisHostDoesNotHave() throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                try expectRefusal(Self.relay("tcp://192.0.2.1:8080"), in: host, "2:10", "192.0.2.1", "ip address")
                let relay = Self.relay(
                    "tcp://127.0.0.1:8080", "tcp://127.0.0.1:9000",
                    more: "socket = { upstream = { bind-address = \"192.0.2.1\" } }")
                try expectRefusal(relay, in: host, "4:40", "192.0.2.1", "ip address")
            }
        }

        @Test func aUnixSocketWhereThereIsNoDirectory() throws {
            try Lab.with { lab in
                try expectRefusal(
                    Self.relay("unix:///nonexistent/b.sock"), in: try lab.host("alone"), "2:10", "/nonexistent/b.sock",
                    "No such file")
            }
        }

        @Test func aUnixSocketThatSomebodyListensOn() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let peer = try Peer(in: host)
                try await peer.must("s listen-unix \(directory.file("b.sock"))")
                let refusal = try BraidProgram.refusal(
                    config: Self.relay("unix://\(directory.file("b.sock"))"), in: host)
                #expect(refusal.status == .exited(71), "\(refusal.message)")
                #expect(refusal.message.contains("in use"), "\(refusal.message)")
                try await peer.must("c connect-unix \(directory.file("b.sock"))")
                try await peer.must("s accept a")
            }
        }

        @Test func aSocketThatNobodyPassed() throws {
            try Lab.with { lab in
                try expectRefusal(
                    Self.relay("fd://imap"), in: try lab.host("alone"), "2:10", "fd://imap", "FileDescriptorName=imap")
            }
        }
    }
}
