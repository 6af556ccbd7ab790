// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of ours is built with. Warnings are errors: a warning nobody mends is read by nobody.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Test code may use unsafe constructs without marking each of them.
let strictTests: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let linuxC: [CSetting] = [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let basicContainers: Target.Dependency = .product(name: "BasicContainers", package: "swift-collections")
let deques: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heaps: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = ["NIOCore", "NIOHTTP1", "NIOPosix"].map { .product(name: $0, package: "swift-nio") }
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "braid",
    products: [
        .executable(name: "braid", targets: ["braid"]),
        .library(name: "MultipathTCP", targets: ["MultipathTCP"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        // Foundations
        .target(name: "CLinux", cSettings: linuxC),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .target(name: "CTOML", cxxSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),
        .target(name: "LinuxSystem", dependencies: ["CLinux", systemPackage], swiftSettings: strict),
        .target(name: "MultipathTCP", dependencies: ["LinuxSystem", "CLinux", systemPackage], swiftSettings: strict),
        .target(
            name: "Paths", dependencies: ["MultipathTCP", "LinuxSystem", "CLinux", systemPackage], swiftSettings: strict
        ),
        .target(name: "TOML", dependencies: ["CTOML"], swiftSettings: strict),
        .target(name: "Wire", swiftSettings: strict),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .target(name: "Credentials", dependencies: ["CCrypt", "COpenSSL", "Wire"], swiftSettings: strict),
        .target(name: "CTLS", cSettings: linuxC, linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "TLS", dependencies: ["CTLS"], swiftSettings: strict),

        // Data plane
        .target(
            name: "Forwarding",
            dependencies: [
                "Credentials", "LinuxSystem", "CLinux", "MultipathTCP", "TLS", "Wire", systemPackage, basicContainers,
                deques, heaps,
            ],
            swiftSettings: strict),

        // Control plane
        .target(name: "Configuration", dependencies: ["TOML", systemPackage], swiftSettings: strict),
        .target(
            name: "Upstreams", dependencies: ["CAres", "LinuxSystem", "CLinux", systemPackage, basicContainers],
            swiftSettings: strict),
        .target(
            name: "Daemon",
            dependencies: [
                "Admin", "Configuration", "Credentials", "Forwarding", "LinuxSystem", "MultipathTCP", "Paths",
                "ServiceManager", "TLS", "Upstreams", "CLinux", logging, systemPackage, deques,
            ],
            swiftSettings: strict),

        // Faces
        // The dashboard's files, compiled in (C23 #embed).
        .target(name: "CDashboard", cSettings: [.unsafeFlags(["-Wno-c23-extensions", "-Wall", "-Wextra", "-Werror"])]),
        .target(
            name: "Admin", dependencies: ["CDashboard", "LinuxSystem", "CLinux", systemPackage] + nio,
            swiftSettings: strict),
        .target(
            name: "ServiceManager",
            dependencies: ["CSystemd", "CLinux", "LinuxSystem", logging, systemPackage],
            swiftSettings: strict),
        .target(
            name: "Probe", dependencies: ["LinuxSystem", "MultipathTCP", systemPackage], swiftSettings: strict),
        .target(
            name: "Doctor",
            dependencies: ["CLinux", "Configuration", "LinuxSystem", "MultipathTCP", "Paths", systemPackage],
            swiftSettings: strict),
        .target(name: "AdminClient", dependencies: ["Admin", "LinuxSystem", systemPackage], swiftSettings: strict),
        .executableTarget(
            name: "braid",
            dependencies: [
                "Admin", "AdminClient", "CLinux", "Configuration", "Credentials", "Daemon", "Doctor", "LinuxSystem",
                "MultipathTCP", "Probe", argumentParser,
                systemPackage,
            ],
            swiftSettings: strict),

        // Examples of the MultipathTCP library: swift run example-echo-server
        .executableTarget(
            name: "example-echo-server", dependencies: ["MultipathTCP", "LinuxSystem"], path: "Examples/EchoServer",
            swiftSettings: strict),
        .executableTarget(
            name: "example-echo-client", dependencies: ["MultipathTCP", "LinuxSystem"], path: "Examples/EchoClient",
            swiftSettings: strict),

        // Tests
        .target(
            name: "Lab", dependencies: ["CLab"], path: "Tests/Lab",
            // The link emulator has microseconds for a packet, in debug builds too.
            swiftSettings: strictTests + [.unsafeFlags(["-O"])]),
        .target(name: "CLab", path: "Tests/CLab", cSettings: linuxC + [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "braid-lab", dependencies: ["Lab", "CLab", argumentParser], path: "Tests/LabShell",
            swiftSettings: strictTests),
        .executableTarget(
            name: "braid-crowd", path: "Tests/Crowd", cSettings: linuxC + [.unsafeFlags(["-O2"])],
            // It runs in trees that have no Swift.
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]),
        .executableTarget(
            name: "braid-path-bench", dependencies: ["Lab", argumentParser], path: "Benchmarks/PathBench",
            swiftSettings: strictTests),
        .testTarget(
            name: "LinuxSystemTests", dependencies: ["LinuxSystem", "CLinux", "TestNamespace", systemPackage],
            swiftSettings: strictTests),
        .testTarget(
            name: "MultipathTCPTests",
            dependencies: ["MultipathTCP", "LinuxSystem", "CLinux", "Lab", "TestNamespace", systemPackage],
            swiftSettings: strictTests),
        .testTarget(
            name: "PathsTests",
            dependencies: ["Paths", "MultipathTCP", "LinuxSystem", "Lab", "TestNamespace", systemPackage],
            swiftSettings: strictTests),
        .testTarget(
            name: "ProbeTests", dependencies: ["Probe", "MultipathTCP", "LinuxSystem", "TestNamespace", systemPackage],
            swiftSettings: strictTests),
        .testTarget(
            name: "DoctorTests",
            dependencies: [
                "Doctor", "Configuration", "Lab", "LinuxSystem", "MultipathTCP", "Paths", systemPackage,
            ],
            swiftSettings: strictTests),
        .target(
            name: "TestNamespace", dependencies: ["CNamespace", "LinuxSystem", systemPackage],
            path: "Tests/TestNamespace",
            swiftSettings: strictTests),
        .target(name: "CNamespace", path: "Tests/CNamespace", cSettings: linuxC),
        .target(name: "KernelFiles", path: "Tests/KernelFiles", swiftSettings: strictTests),
        // The pages of docs, whose commands tests run.
        .target(name: "BookPages", path: "Tests/BookPages", swiftSettings: strictTests),
        .testTarget(name: "WireTests", dependencies: ["Wire", "TestNamespace"], swiftSettings: strictTests),
        .testTarget(name: "TLSTests", dependencies: ["TLS", "LinuxSystem"], swiftSettings: strictTests),
        .testTarget(name: "CredentialsTests", dependencies: ["Credentials", "Wire"], swiftSettings: strictTests),
        .testTarget(
            name: "AdminTests",
            dependencies: [
                "Admin", "AdminClient", "LinuxSystem", systemPackage, .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strictTests),
        .testTarget(name: "TOMLTests", dependencies: ["TOML"], swiftSettings: strictTests),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "TOML"], swiftSettings: strictTests),
        .testTarget(
            name: "ForwardingTests",
            dependencies: ["Forwarding", "LinuxSystem", "CLinux", "MultipathTCP", "Wire", "Lab", systemPackage],
            swiftSettings: strictTests),
        .testTarget(
            name: "UpstreamsTests", dependencies: ["Upstreams", "LinuxSystem", "Lab", systemPackage],
            swiftSettings: strictTests),
        .testTarget(
            name: "ServiceManagerTests", dependencies: ["ServiceManager", "LinuxSystem", logging, systemPackage],
            swiftSettings: strictTests),
        .testTarget(name: "LabTests", dependencies: ["Lab", "CLab", "braid-lab"], swiftSettings: strictTests),

        .testTarget(
            name: "EndToEndTests",
            dependencies: ["Lab", "LinuxSystem", "CNamespace", "KernelFiles", "BookPages", systemPackage],
            swiftSettings: strictTests),

        .testTarget(
            name: "SystemdTests",
            dependencies: [
                "braid-crowd", "KernelFiles", "BookPages", "LinuxSystem", "ServiceManager", logging, systemPackage,
            ],
            swiftSettings: strictTests),
    ],
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx20
)

// Fuzz targets need -sanitize=fuzzer, so they exist only when asked for ("make fuzz" sets this).
if Context.environment["BRAID_FUZZ"] != nil {
    let fuzzTargets: [(name: String, reads: [Target.Dependency])] = [
        ("FuzzAdminAnswer", ["AdminClient"]),
        ("FuzzAdminRequest", ["Admin"]),
        ("FuzzConvert", ["Wire"]),
        ("FuzzCredentials", ["Credentials"]),
        ("FuzzDoctor", ["Doctor", "MultipathTCP"]),
        ("FuzzHTTPConnect", ["Wire"]),
        ("FuzzInheritedSockets", ["ServiceManager"]),
        ("FuzzNetlink", ["Doctor", "LinuxSystem", "MultipathTCP", "Paths"]),
        ("FuzzProxyHeader", ["Wire"]),
        ("FuzzSOCKS5", ["Wire"]),
        ("FuzzServiceAnswer", ["Upstreams"]),
        ("FuzzUsageBook", ["Paths"]),
    ]
    package.targets += [
        .target(name: "CFuzzer", path: "Fuzz/CFuzzer", cSettings: linuxC),
        // Its seeds are the configurations in Config.
        .executableTarget(
            name: "FuzzConfiguration", dependencies: ["CFuzzer", "Configuration"], path: "Fuzz/FuzzConfiguration",
            swiftSettings: strict),
    ]
    package.targets += fuzzTargets.map { target in
        .executableTarget(
            name: target.name, dependencies: ["CFuzzer"] + target.reads, path: "Fuzz/\(target.name)",
            exclude: ["Seeds"],
            swiftSettings: strict)
    }
}
