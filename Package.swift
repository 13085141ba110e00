// swift-tools-version: 6.2
import PackageDescription

/// Set by the Makefile when it builds for bare metal; see toolset.json.
let freestanding = Context.environment["APUS_FREESTANDING"] != nil

/// The monitor's pure half: built for bare metal, and for Linux to be tested there.
let pure: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .treatWarning("EmbeddedRestrictions", as: .error),
  .strictMemorySafety(),
]
let hosted: [SwiftSetting] = [.treatAllWarnings(as: .error)]

var targets: [Target] = [
  .target(name: "Contract"),
  .target(name: "X86", dependencies: ["Contract"], swiftSettings: pure),
  .target(name: "Emulator", dependencies: ["X86"], swiftSettings: pure),
  .target(name: "SVM", dependencies: ["MonitorCore", "X86", "Contract"], swiftSettings: pure),
  .target(name: "VMX", dependencies: ["MonitorCore", "X86", "Contract"], swiftSettings: pure),
  // Constant tables of the image, imported by tests only: an importer would hold a second copy.
  .target(name: "GuestFeatures", swiftSettings: pure),
  // The PC's interrupt controllers and its timer: values that know neither vCPUs nor processors.
  .target(name: "Devices", dependencies: ["Contract"], swiftSettings: pure),
  .target(
    name: "MonitorCore", dependencies: ["Devices", "Emulator", "X86", "Contract"],
    swiftSettings: pure),
]

let freestandingTargets: [Target] = [
  .target(name: "Entry", dependencies: ["Contract"]),
  .executableTarget(
    name: "Monitor",
    dependencies: ["Entry", "GuestFeatures", "MonitorCore", "SVM", "VMX", "X86", "Contract"],
    swiftSettings: pure),
  .target(name: "StandaloneEntry", dependencies: ["Contract"]),
  .target(name: "Guests", path: "Guests"),
  .executableTarget(
    name: "Standalone",
    dependencies: ["StandaloneEntry", "Guests", "Entry", "X86", "Contract"],
    swiftSettings: pure),
]

let hostedTargets: [Target] = [
  .target(
    name: "KVM",
    dependencies: ["Contract", .product(name: "SystemPackage", package: "swift-system")],
    swiftSettings: hosted),
  .target(name: "LinuxCalls"),
  // What `apus latency` runs: a guest of some hundred bytes.
  .target(name: "LatencyGuest"),
  .target(
    name: "Machine",
    dependencies: [
      "KVM", "Contract", "Figures", "LatencyGuest", "LinuxCalls",
      .product(name: "Histogram", package: "hdrhistogram-swift"),
      .product(name: "DequeModule", package: "swift-collections"),
      .product(name: "Logging", package: "swift-log"),
    ],
    swiftSettings: hosted),
  .executableTarget(
    name: "apus",
    dependencies: [
      "Figures", "Machine",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Logging", package: "swift-log"),
    ],
    swiftSettings: hosted),
  .target(name: "Generator", swiftSettings: hosted),
  // What the program and the lab show alike: cyclictest's figures, charts and tables.
  .target(name: "Figures", swiftSettings: hosted),
  .target(
    name: "Lab",
    dependencies: [
      "Figures", "Generator", .product(name: "Subprocess", package: "swift-subprocess"),
      .product(name: "SystemPackage", package: "swift-system"),
    ],
    swiftSettings: hosted),
  .executableTarget(
    name: "apus-lab",
    dependencies: [
      "Figures", "Lab", .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: hosted),
  // Only the lab's: tries every ioctl of /dev/apus with hostile arguments.
  .target(name: "HostileCalls", dependencies: ["Contract"]),
  .executableTarget(
    name: "hostile", dependencies: ["Generator", "HostileCalls"], swiftSettings: hosted),
  // Only the lab's: asks a device of KVM's interface what it offers.
  .executableTarget(name: "survey", dependencies: ["HostileCalls"], swiftSettings: hosted),
  .testTarget(name: "X86Tests", dependencies: ["X86"]),
  // Runs single instructions on the processor of the test.
  .target(name: "RealProcessor", path: "Tests/RealProcessor"),
  .testTarget(name: "EmulatorTests", dependencies: ["Emulator", "RealProcessor", "X86"]),
  .testTarget(name: "SVMTests", dependencies: ["SVM", "X86", "Contract"]),
  .testTarget(name: "VMXTests", dependencies: ["VMX", "MonitorCore", "X86", "Contract"]),
  .testTarget(
    name: "MonitorCoreTests",
    dependencies: ["Devices", "MonitorCore", "GuestFeatures", "X86", "Contract"]),
  .testTarget(name: "DevicesTests", dependencies: ["Devices", "Contract"]),
  .testTarget(
    name: "MachineTests",
    dependencies: [
      "Machine", "KVM", "Contract", "Figures", "LatencyGuest", "LinuxCalls",
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
  .testTarget(name: "FiguresTests", dependencies: ["Figures"]),
  .testTarget(name: "LabTests", dependencies: ["Figures", "Generator", "Lab"]),
]

let package = Package(
  name: "apus",
  dependencies: freestanding
    ? []
    : [
      .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
      .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
      .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
      .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
      .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
      .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
  targets: targets + (freestanding ? freestandingTargets : hostedTargets),
  swiftLanguageModes: [.v6])
