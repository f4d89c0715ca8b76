// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of ours is compiled with.
let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let collections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A library of ours: its own sources in `Sources/NAME`, its tests in `Tests/NAMETests`.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.target(name: name), "LabTesting"] + dependencies,
        exclude: exclude, swiftSettings: house)
}

let package = Package(
    name: "velocitylab",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "velocity", targets: ["velocity"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Layer 0: values.
        library("CEL"),
        library("KubeModel", ["CEL", collections]),
        library("CourseModel"),
        library("ScreenKit"),
        .target(name: "CSandbox"),
        .systemLibrary(name: "CZlib"),

        // Layer 1
        library("ObjectStore", ["KubeModel", grdb]),
        library("KubeClient", ["KubeModel", yams] + nio),

        // Layer 2
        library(
            "APIServer",
            [
                "CEL", "KubeModel", "ObjectStore", "KubeClient", "CZlib", lifecycle,
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ] + nio),
        library("ControllerKit", ["KubeModel", "KubeClient", lifecycle, heap]),

        // Layer 3
        library("Controllers", ["KubeModel", "KubeClient", "ControllerKit", lifecycle]),
        library("Scheduler", ["KubeModel", "KubeClient", "ControllerKit", lifecycle]),
        library(
            "ContainerRuntime",
            [
                "KubeModel", "KubeClient", "CSandbox", "CZlib", collections,
                .product(name: "Crypto", package: "swift-crypto"),
            ] + nio),
        library("Kubelet", ["KubeModel", "KubeClient", "ControllerKit", "ContainerRuntime", lifecycle]),
        library(
            "ClusterNetwork",
            [
                "KubeModel", "KubeClient", "ControllerKit", "ContainerRuntime", lifecycle,
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ] + nio),

        // Layer 4
        library(
            "Cluster",
            [
                "KubeModel", "ObjectStore", "KubeClient", "APIServer", "ControllerKit", "Controllers", "Scheduler",
                "ContainerRuntime", "Kubelet", "ClusterNetwork", "CSandbox", lifecycle,
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        library("Course", ["CourseModel", "KubeModel", "KubeClient", yams]),
        library("Checkers", ["CourseModel", "KubeModel", "KubeClient"]),
        library(
            "Progress",
            ["CourseModel", "KubeModel", "KubeClient", grdb, .product(name: "Crypto", package: "swift-crypto")]),

        // Layer 5 to 7
        library("LabScreens", ["CourseModel", "KubeModel", "ScreenKit", "Checkers", "Progress"]),
        .systemLibrary(name: "CNCurses"),
        .target(name: "CTerminal"),
        .target(
            name: "TerminalScreen", dependencies: ["ScreenKit", "CNCurses", "CTerminal"],
            swiftSettings: house + [.defaultIsolation(MainActor.self), .strictMemorySafety()]),
        .executableTarget(
            name: "velocity",
            dependencies: [
                "KubeModel", "KubeClient", "Cluster", "ContainerRuntime", "CourseModel", "Course", "Checkers",
                "Progress",
                "ScreenKit", "LabScreens", "TerminalScreen", yams,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: house),

        // Both stand beside `velocity`: what pods live in, and the course's services as programs that run in them, one static
        // binary, no Swift libraries needed beside it.
        .executableTarget(
            name: "sandboxd", dependencies: ["CSandbox"], linkerSettings: [.unsafeFlags(["-static-executable"])]),
        .executableTarget(
            name: "Workloads", dependencies: ["KubeModel", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: house,
            linkerSettings: [
                .unsafeFlags(["-static-stdlib"]),
                // What FoundationEssentials is made of; its static form does not name them.
                .linkedLibrary("_FoundationCollections"), .linkedLibrary("_FoundationCShims"),
            ]),

        // Tests
        .target(
            name: "LabTesting",
            dependencies: ["KubeModel", "KubeClient", "APIServer", "ObjectStore", "CSandbox", lifecycle],
            path: "Tests/LabTesting", swiftSettings: house),
        .executableTarget(
            name: "LoadBench",
            dependencies: ["KubeModel", "KubeClient", "ContainerRuntime", "ClusterNetwork", "LabTesting"] + nio,
            path: "Tests/LoadBench", swiftSettings: house),
        tests("CEL"),
        tests("KubeModel", ["CEL"], exclude: ["Corpus"]),
        tests("CourseModel"),
        tests("ScreenKit"),
        tests("ObjectStore"),
        tests("KubeClient", ["KubeModel", "APIServer"] + nio),
        tests(
            "APIServer",
            [
                "KubeModel", "KubeClient", "ObjectStore", "CEL", .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ] + nio),
        tests("ControllerKit", ["KubeModel", "KubeClient"]),
        tests("Controllers", ["KubeModel", "KubeClient", "ControllerKit", "APIServer", "ObjectStore"]),
        tests("Scheduler", ["KubeModel", "KubeClient", "ControllerKit"]),
        tests("ContainerRuntime", ["KubeModel", "KubeClient", "CSandbox"] + nio),
        tests("Kubelet", ["KubeModel", "KubeClient", "ContainerRuntime", "APIServer", "ObjectStore"]),
        tests("ClusterNetwork", ["KubeModel", "KubeClient", "ContainerRuntime", "APIServer", "ObjectStore"]),
        tests("Cluster", ["KubeModel", "KubeClient", "ContainerRuntime", "CSandbox"]),
        tests("Course", ["CourseModel"]),
        tests(
            "Checkers", ["CourseModel", "KubeModel", "KubeClient", "Course", "APIServer", "ObjectStore"],
            exclude: ["Course"]),
        tests("Progress", ["CourseModel", grdb]),
        tests("LabScreens", ["CourseModel", "KubeModel", "ScreenKit", "Checkers", "Progress"]),
        .testTarget(name: "TidyTests", swiftSettings: house),
        .testTarget(
            name: "CommandTests",
            dependencies: ["velocity", "LabTesting", "KubeModel", "KubeClient", "ContainerRuntime", "CSandbox"],
            swiftSettings: house),
    ]
)
