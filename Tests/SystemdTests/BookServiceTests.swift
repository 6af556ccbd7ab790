import BookPages
import Foundation
import Testing

/// What the pages of `docs` tell to do with the service.
@Suite(
    .serialized, .timeLimit(.minutes(3)),
    .enabled(if: Braid.obstacle == nil, Comment(rawValue: Braid.obstacle ?? "")))
struct BookServiceTests {
    @Test func `every command for the service works`() throws {
        let machine = try Braid.machine(
            """
            [[relay]]
            name = "web"
            listen = "tcp://127.0.0.1:8080"
            upstream = "echo://"
            """)
        try machine.check("systemctl", "start", "braid")
        var count = 0
        for page in BookPage.all {
            for block in page.blocks where block.isLabelled("sh", "service") {
                count += 1
                let output = try machine.run("bash", "-euo", "pipefail", "-c", block.text)
                #expect(output.status == 0, "docs/\(page.name):\(block.line): \(output)")
                #expect(try machine.property("ActiveState", of: "braid") == "active", "docs/\(page.name):\(block.line)")
            }
        }
        #expect(count > 2)
    }
}
