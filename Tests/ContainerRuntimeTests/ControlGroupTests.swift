import Testing

@testable import ContainerRuntime

@Suite("Control groups as values") struct ControlGroupTests {
    @Test(
        "a container's own group is told from every other place",
        arguments: [
            ("0::/x.scope/velocitylab-7/podabc/main.0\n", "/x.scope/velocitylab-7/podabc/main.0"),
            ("12:pids:/a\n1:name=systemd:/b\n0::/velocitylab-7/podabc/main.1\n", "/velocitylab-7/podabc/main.1"),
            ("0::/x.scope/velocitylab-7/self\n", nil), ("0::/x.scope/velocitylab-7/besteffort\n", nil),
            ("0::/user.slice/podabc/main.0\n", nil), ("0::/\n", nil), ("4:memory:/velocitylab-7/podabc/main.0\n", nil),
            ("", nil),
        ])
    func place(text: String, expected: String?) { #expect(ControlGroup.path(in: text) == expected) }

    @Test("numbers are found by their whole names")
    func number() {
        let text = "inactive_anon 1\nactive_file 2\ninactive_file 4096\nusage_usec 77\n"
        #expect(ControlGroup.number("inactive_file", in: text) == 4096)
        #expect(ControlGroup.number("usage_usec", in: text) == 77)
        #expect(ControlGroup.number("file", in: text) == nil)
    }

    @Test(
        "a request is a weight as the kubelet and runc make it; a limit stands in for a request",
        arguments: [
            (nil, nil, 0), (nil, 1, 1), (nil, 100, 4), (nil, 1000, 39), (nil, 64_000, 2500), (nil, 1_000_000, 10_000),
            (500, nil, 20), (500, 250, 10),
        ] as [(Int?, Int?, Int)])
    func weight(limit: Int?, request: Int?, expected: Int) {
        #expect(ResourceAmounts(cpuLimitMillicores: limit, cpuRequestMillicores: request).cpuWeight == expected)
    }

    @Test("who keeps the limits is said, and what would give them to the kernel")
    func keeping() {
        var keeping = LimitKeeping(isMemoryKernels: true, isProcessorKernels: true, machine: .init())
        #expect(keeping.sentence == "limits of memory and processor: kept by the kernel, in control groups")
        #expect(keeping.fix == nil)
        keeping.isProcessorKernels = false
        #expect(
            keeping.sentence == "limits of memory: kept by the kernel, in control groups; of the processor: by watching"
        )
        #expect(keeping.fix?.contains("Delegate=cpu memory pids") == true)
        keeping.isMemoryKernels = false
        #expect(keeping.sentence == "limits of memory and processor: kept by watching")
        keeping.machine.hasUserManager = false
        #expect(keeping.fix == "sudo loginctl enable-linger $USER")
        keeping.machine.isRoot = true
        #expect(keeping.fix == nil)
        keeping.machine.isUnified = false
        #expect(keeping.fix == "start the kernel with systemd.unified_cgroup_hierarchy=1")
        keeping.machine.hasSystemd = false
        #expect(keeping.fix == nil)
    }
}
