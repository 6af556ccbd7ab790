import Configuration
import Testing

private let configurations = "Config"

@Suite struct ShippedConfigurationTests {
    @Test(arguments: ["near", "far", "loopback"])
    func loads_and_is_built(name: String) throws {
        let settings = try Settings.load(path: "\(configurations)/\(name).toml", environment: [:])
        #expect(!settings.relays.isEmpty)
        #expect(settings.notBuiltYet() == [])
    }

    @Test func several_errors_in_one_run() {
        let text = """
            [deamon]
            [limits]
            connections = "many"
            [[relay]]
            listen = "tcp://127.0.0.1"
            idle_timeout = 30
            """
        do {
            _ = try Settings.load(text: text, file: "x.toml")
        } catch {
            print(error)
        }
    }
}
