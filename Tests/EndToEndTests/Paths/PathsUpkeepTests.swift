import Lab
import Testing

extension EndToEndSuite {
    /// Endpoints that somebody else takes away, and subflows that are lost.
    @Suite(.serialized) struct PathsUpkeepTests {
        @Test func endpointsThatSomebodyElseRemovesComeBack() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar()
                let near = try await paths.startNear()
                let (client, _) = try await paths.applications()
                func allIsBack() async throws {
                    try await paths.until("all endpoints") { try paths.endpoints() == PathsLab.allEndpoints }
                    try await paths.until("two subflows") { try paths.subflows() == [2] }
                    try await client.wait(for: 5)
                }
                // While there is no connection: the first one shows it.
                try paths.near.removeEndpoints()
                try await client.ping("127.0.0.1", port: 8080)
                try await allIsBack()
                let notice = try await near.record("other-path-manager")
                #expect(notice.message.contains("was removed by something else"), "\(notice)")
                // Under a connection, which loses all its subflows by it.
                try paths.near.removeEndpoints()
                try await allIsBack()
                // And by one who does not leave off: said with a name, and done again after a pause.
                let manager = try paths.near.spawn(
                    ["sh", "-c", "printf mptcpd >/proc/$$/comm; echo named; read line"], input: true)
                try await manager.line(containing: "named")
                try paths.near.removeEndpoints()
                let contested = try await near.record { $0.message.contains("again and again") }
                #expect(contested.event == "other-path-manager", "\(contested)")
                let named = try await near.record { $0["process"] == "mptcpd" }
                #expect(named.event == "other-path-manager", "\(named)")
                try await allIsBack()
                #expect(try await client.errors() == 0)
                #expect(near.records("path-refused").isEmpty, "\(near.records("path-refused"))")
            }
        }

        @Test func aSingleLostSubflowComesBack() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                let client = try await pingOverBoth(paths)
                for link in [paths.lte, paths.wifi] {
                    let lost = ContinuousClock.now
                    try await loseSubflow(paths, link)
                    print("measured: a subflow over \(link.name) lost, and back after \(ContinuousClock.now - lost)")
                    #expect(ContinuousClock.now - lost < .seconds(5))
                }
                // While the peer refuses it over one link, it is tried less and less often, and comes back in the end.
                try paths.refuse(true, over: paths.lte)
                let refusals = try paths.near.counter("Tcp", "AttemptFails")
                try paths.killSubflows(over: paths.lte)
                try await paths.until("two attempts refused") {
                    try paths.near.counter("Tcp", "AttemptFails") >= refusals + 2
                }
                #expect(try paths.subflows() == [1])
                try await client.wait(for: 5)
                try paths.refuse(false, over: paths.lte)
                try await paths.until("two subflows again") { try paths.subflows() == [2] }
                #expect(try await client.errors() == 0)
            }
        }

        /// A peer that is told that an address is gone, over a link slower than the one over which a new subflow comes from that
        /// address, closes the new one.
        @Test func whatIsOpenedAnewBesideASlowLinkStays() async throws {
            try await Lab.with { lab in
                let slow = LinkProfile(rate: .mbit(50), delay: .milliseconds(250))
                let paths = try PathsLab.make(in: lab, lte: slow)
                let client = try await pingOverBoth(paths)
                // The far end as well knows of both.
                try await client.wait(for: 50)
                let heard = try paths.far.counter("MPTcpExt", "RmAddr")
                let again = try await loseSubflow(paths, paths.wifi)
                // A second: longer than anything is under way.
                try await client.wait(for: 50)
                #expect(try paths.far.counter("MPTcpExt", "RmAddr") == heard)
                #expect(try paths.subflows(over: paths.wifi) == again)
                #expect(try await client.errors() == 0)
            }
        }

        /// Only half a second later the far end knows of the second subflow.
        @Test func aSubflowLostWhileTheOtherJoinsComesBack() async throws {
            try await Lab.with { lab in
                let slow = LinkProfile(rate: .mbit(50), delay: .milliseconds(250))
                let paths = try PathsLab.make(in: lab, lte: slow)
                let client = try await pingOverBoth(paths)
                try await loseSubflow(paths, paths.wifi)
                #expect(try await client.errors() == 0)
            }
        }

        /// Starts both ends, and a connection over both links.
        private func pingOverBoth(_ paths: PathsLab) async throws -> Traffic {
            _ = try await paths.startFar()
            _ = try await paths.startNear()
            let (client, _) = try await paths.applications()
            try await client.ping("127.0.0.1", port: 8080)
            try await paths.until("two subflows") { try paths.subflows() == [2] }
            return client
        }

        /// Kills the only subflow over a link, waits for another one, and answers that.
        @discardableResult
        private func loseSubflow(_ paths: PathsLab, _ link: Link) async throws -> [String] {
            let before = try paths.subflows(over: link)
            #expect(before.count == 1, "\(before)")
            try paths.killSubflows(over: link)
            var again: [String] = []
            try await paths.until("a new subflow over \(link.name)") {
                again = try paths.subflows(over: link)
                return again.count == 1 && again != before
            }
            return again
        }
    }
}
