import Foundation
import Testing

/// Why no image can be built here, or nil when it can.
private let obstacle: String? =
    DebianPackage.obstacle ?? (Command.path(of: "buildah") == nil ? "a container image needs buildah" : nil)

/// The container image, built by buildah without a network: its last stage as it is, over a bare Debian tree, with what
/// `make install` makes.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: obstacle == nil, Comment(rawValue: obstacle ?? "")))
struct ContainerTests {
    /// Where images and containers are, gone with the value.
    private final class Storage {
        let directory = NSTemporaryDirectory() + "braid-container-" + UUID().uuidString

        init() throws {
            try FileManager.default.createDirectory(atPath: directory + "/context", withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        func buildah(_ arguments: [String]) throws -> String {
            try Command.check(
                [
                    "env", "BUILDAH_ISOLATION=chroot", "buildah", "--root", directory + "/root", "--runroot",
                    directory + "/run", "--storage-driver", "vfs",
                ] + arguments, seconds: 120
            ).output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    @Test func `the image has what is installed, and runs it as a user of its own`() throws {
        let storage = try Storage()
        let text = try String(contentsOfFile: DebianPackage.project + "/Containerfile", encoding: .utf8)
        // The first stage needs a Swift toolchain's image. What it does for the second is this line.
        #expect(text.contains("\nRUN make install DESTDIR=/out PREFIX=/usr\n"))
        try Command.check([
            "make", "--silent", "--directory", DebianPackage.project, "install",
            "DESTDIR=\(storage.directory)/build/out", "PREFIX=/usr",
        ])
        let last = try #require(text.range(of: "FROM ${SYSTEM}"))
        try ("ARG SYSTEM\n" + text[last.lowerBound...]).write(
            toFile: storage.directory + "/Containerfile", atomically: false, encoding: .utf8)

        let system = try storage.buildah(["from", "scratch"])
        _ = try storage.buildah(["add", "--quiet", system, DebianPackage.tree("bookworm"), "/"])
        _ = try storage.buildah(["commit", "--quiet", system, "localhost/system"])
        _ = try storage.buildah([
            "bud", "--pull-never", "--network", "none", "--build-arg", "SYSTEM=localhost/system", "--build-context",
            "build=\(storage.directory)/build", "--tag", "localhost/braid", "--file",
            storage.directory + "/Containerfile", storage.directory + "/context",
        ])
        let container = try storage.buildah(["from", "--pull-never", "localhost/braid"])
        let image = try storage.buildah(["inspect", container])
        #expect(image.contains("\"User\": \"7143:7143\"") && image.contains("\"StopSignal\": \"SIGTERM\""))
        let entry = try #require(image.firstMatch(of: /"Entrypoint": \[\s*"([^"]+)"\s*\],\s*"Cmd": \[\s*"([^"]+)"/))
        #expect(entry.1 == "/usr/bin/braid" && entry.2 == "run")
        #expect(try storage.buildah(["run", container, "--", "id", "-u"]) == "7143")
        // What the entry point is given runs, with the configuration in its place, and answers on its admin socket.
        let said = try storage.buildah([
            "run", container, "--", "sh", "-c",
            """
            braid run >/tmp/log 2>&1 & daemon=$!
            for _ in $(seq 200); do braid status >/dev/null 2>&1 && break; sleep 0.05; done
            braid status && braid check; kill -TERM $daemon; wait $daemon; cat /tmp/log
            """,
        ])
        #expect(said.contains("event=daemon-ready"), "\(said)")
        #expect(try storage.buildah(["run", container, "--", "braid", "--version"]).hasPrefix("braid "))
    }
}
