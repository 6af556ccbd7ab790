// swift-tools-version: 6.2
import PackageDescription

/// The benchmarks are a package of their own, so that building Braid does not build them; and they depend on nothing of
/// Braid, so that what measures shares no code with what is measured.
let package = Package(
    name: "braid-benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        .target(
            name: "CBenchSystem", cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .executableTarget(
            name: "braid-load",
            cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"])]),
        .executableTarget(
            name: "braid-bench",
            dependencies: [
                "CBenchSystem", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
            ]),
    ],
    cLanguageStandard: .gnu17
)
