import Foundation
import TOML
import Testing

@testable import Configuration

/// The root of the project.
private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The files that users begin with.
enum Shipped {
    static func text(_ name: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent("Config/\(name).toml"), encoding: .utf8)
    }

    static func path(_ name: String) -> String { root.appendingPathComponent("Config/\(name).toml").path }

    /// The reference with its examples switched on: `#key = …` and `#[table]` without their hash.
    static func wholeReference() throws -> String {
        try text("reference").split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.wholeMatch(of: /#(?:[a-z-]+ = .*|\[.*)/) == nil ? String(line) : String(line.dropFirst())
        }.joined(separator: "\n")
    }

    static let environment = ["CREDENTIALS_DIRECTORY": "/run/credentials/braid.service"]
}

@Suite struct ShippedConfigurationTests {
    @Test(arguments: ["near", "far", "loopback", "reference"])
    func loads_and_runs(name: String) throws {
        let settings = try Settings.load(path: Shipped.path(name), environment: [:])
        #expect(!settings.relays.isEmpty)
    }

    @Test func loopback_is_near_and_far() throws {
        let settings = try Settings.load(path: Shipped.path("loopback"), environment: [:])
        #expect(settings.relays.map(\.name) == ["near", "far", "echo-near", "echo-far"])
        #expect(
            settings.relays.flatMap(\.listen).map(\.value.description) == [
                "tcp://127.0.0.1:8080", "mptcp://127.0.0.1:8081", "tcp://127.0.0.1:8082", "mptcp://127.0.0.1:8083",
            ])
        #expect(
            settings.relays.flatMap(\.upstream).map(\.value.description) == [
                "mptcp://127.0.0.1:8081", "dashboard://", "mptcp://127.0.0.1:8083", "echo://",
            ])
    }

    @Test func reference_has_every_key_that_the_readers_know() throws {
        let problems = TOMLProblems()
        _ = try Settings.load(
            bytes: Array(Shipped.wholeReference().utf8), file: Shipped.path("reference"),
            environment: Shipped.environment, problems: problems)
        #expect(problems.knownKeys.count >= 13)
        for (table, keys) in problems.knownKeys {
            // What an upstream's TLS takes, a listener's refuses, and the other way round: together they are whole.
            if table.hasPrefix("'tls.") { continue }
            #expect(keys.subtracting(problems.foundKeys[table] ?? []) == [], "missing from reference.toml in \(table)")
        }
        let tlsKeys = problems.knownKeys["'tls.listen'"] ?? []
        let found = (problems.foundKeys["'tls.listen'"] ?? []).union(problems.foundKeys["'tls.upstream'"] ?? [])
        #expect(tlsKeys.count == 7)
        #expect(tlsKeys == found)
    }

    /// What the reference says is the default is the default.
    @Test func reference_states_the_defaults() throws {
        let written = try Settings.load(path: Shipped.path("reference"), environment: [:])
        var expected = Settings.defaults
        expected.admin.socket = "/run/braid/admin.sock"
        #expect(written.daemon == expected.daemon)
        #expect(written.limits == expected.limits)
        #expect(written.admin == expected.admin)
        #expect(written.paths == expected.paths)
        let relay = try #require(written.relays.first)
        let bare = RelaySettings(
            name: relay.name, listen: relay.listen, upstream: relay.upstream, locations: relay.locations)
        #expect(relay == bare)
        let whole = try Settings.load(
            text: Shipped.wholeReference(), file: "reference.toml", environment: Shipped.environment)
        let link = try #require(whole.paths.links.first)
        #expect(link == LinkSettings(name: "lte", target: .interface("wwan0"), locations: link.locations))
        #expect(whole.relays[0].healthCheck == HealthCheckSettings())
    }
}
