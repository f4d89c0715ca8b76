import KubeModel
import LabTesting
import Testing

@Suite("Protobuf bodies", .timeLimit(.minutes(5))) struct ProtobufBodyTests {
    private func refusal(of bytes: [UInt8]) -> String? {
        do throws(ProtobufError) {
            _ = try ProtobufBody.decode(bytes)
            return nil
        } catch {
            return error.message
        }
    }

    // MARK: Objects

    @Test("a Namespace has its type from the envelope")
    func namespace() throws {
        let body = Wire.body(
            "v1", "Namespace", Wire.message(1, Wire.text(1, "lab"), Wire.message(8)), Wire.message(2), Wire.message(3))
        #expect(
            try ProtobufBody.decode(body) == ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "lab"]])
    }

    @Test("a Pod comes with its maps, lists, quantities, ports by name, and the zeroes that mean something")
    func pod() throws {
        #expect(try ProtobufBody.decode(WireSamples.pod) == WireSamples.podObject)
    }

    @Test("a Deployment keeps zero replicas and shares of them")
    func deployment() throws {
        #expect(try ProtobufBody.decode(WireSamples.deployment) == WireSamples.deploymentObject)
    }

    @Test("rules of webhooks are one object in JSON and two on the wire, with names as Go has them")
    func webhooks() throws {
        let rule = Wire.message(
            3, Wire.text(1, "CREATE"), Wire.message(2, Wire.text(1, ""), Wire.text(2, "v1"), Wire.text(3, "pods")))
        let body = Wire.body(
            "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration",
            Wire.message(1, Wire.text(1, "c")), Wire.message(2, Wire.text(1, "a.b.c"), rule))
        #expect(
            try ProtobufBody.decode(body)["webhooks"] == [
                [
                    "name": "a.b.c",
                    "rules": [
                        [
                            "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
                        ]
                    ],
                ]
            ])
    }

    @Test("an Eviction may be of the version before 1, as older clients send it")
    func eviction() throws {
        let body = Wire.body("policy/v1beta1", "Eviction", Wire.message(1, Wire.text(1, "web")))
        #expect(
            try ProtobufBody.decode(body) == [
                "apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": ["name": "web"],
            ])
    }

    @Test("the status of an object is read, too: controllers write nothing else")
    func status() throws {
        let way = Wire.message(1, Wire.text(1, "169.1.1.2"))
        let ingress = Wire.body(
            "networking.k8s.io/v1", "Ingress", Wire.message(1, Wire.text(1, "shop")),
            Wire.message(3, Wire.message(1, way)))
        #expect(try ProtobufBody.decode(ingress)["status"] == ["loadBalancer": ["ingress": [["ip": "169.1.1.2"]]]])
        let scale = Wire.body(
            "apps/v1", "ReplicaSet", Wire.message(1, Wire.text(1, "shop")), Wire.message(3, Wire.number(4, 2)))
        #expect(try ProtobufBody.decode(scale)[["status", "readyReplicas"]] == 2)
    }

    @Test("a deletion that is to leave no orphans says so with a zero")
    func deleteOptions() throws {
        let options = try ProtobufBody.decode(Wire.body("v1", "DeleteOptions", Wire.number(1, 0), Wire.flag(3, false)))
        #expect(options["gracePeriodSeconds"] == 0)
        #expect(options["orphanDependents"] == false)
    }

    @Test("bytes are written as Base64, texts of a Secret as they are")
    func secret() throws {
        let body = Wire.body(
            "v1", "Secret", Wire.message(1, Wire.text(1, "s")),
            Wire.message(2, Wire.text(1, "k"), Wire.bytes(2, [0x00, 0xFF, 0x10])), Wire.text(3, "Opaque"),
            Wire.entry(4, "plain", "x"))
        let secret = try ProtobufBody.decode(body)
        #expect(secret["data"] == ["k": "AP8Q"])
        #expect(secret["stringData"] == ["plain": "x"])
        #expect(secret["type"] == "Opaque")
    }

    @Test(
        "a time has whole seconds, and none for what lies outside of the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_777_901_820, "2026-05-04T13:37:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_800, nil), (-62_135_596_798, "0001-01-01T00:00:02Z"), (-62_135_596_801, nil),
            (Int64.max, nil), (Int64.min, nil),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String?)])
    func time(seconds: Int64, text: String?) throws {
        let time = Wire.message(8, Wire.number(1, seconds), Wire.number(2, 999_999_999))
        let value = try ProtobufBody.decode(Wire.body("v1", "Pod", Wire.message(1, Wire.text(1, "a"), time)))
        #expect(value[["metadata", "creationTimestamp"]]?.string == text)
    }

    @Test("a time with microseconds has six digits")
    func microTime() throws {
        let body = Wire.body(
            "coordination.k8s.io/v1", "Lease", Wire.message(1, Wire.text(1, "n")),
            Wire.message(2, Wire.message(4, Wire.number(1, 1_777_901_820), Wire.number(2, 123_456_789))))
        #expect(try ProtobufBody.decode(body)[["spec", "renewTime"]] == "2026-05-04T13:37:00.123456Z")
    }

    @Test("the entry of a map may leave out its key and its value")
    func emptyEntry() throws {
        let body = Wire.body("v1", "ConfigMap", Wire.message(2, Wire.text(1, "k")), Wire.message(2, Wire.text(2, "v")))
        #expect(try ProtobufBody.decode(body)["data"] == ["k": "", "": "v"])
    }

    @Test("of a field that is there twice, the last counts")
    func lastWins() throws {
        let body = Wire.body("v1", "Namespace", Wire.message(1, Wire.text(1, "first"), Wire.text(1, "last")))
        #expect(try ProtobufBody.decode(body)[["metadata", "name"]] == "last")
    }

    @Test("fields that nobody knows are skipped, whatever their wire type")
    func unknownFields() throws {
        let unknown: [[UInt8]] = [
            Wire.number(900, -1), Wire.tag(901, 1) + [UInt8](repeating: 7, count: 8), Wire.bytes(902, [0xFF, 0xFF]),
            Wire.tag(903, 5) + [1, 2, 3, 4], Wire.bytes(536_870_911, []),
        ]
        let skipped = unknown.flatMap(\.self)
        let body = Wire.body(
            "v1", "Namespace", skipped, Wire.message(1, skipped, Wire.text(1, "lab"), skipped), skipped)
        #expect(
            try ProtobufBody.decode(body + skipped) == [
                "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "lab"],
            ])
    }

    @Test("a depth bomb in an unknown field is skipped in one step")
    func depthBomb() throws {
        var bomb: [UInt8] = []
        for _ in 0..<10_000 { bomb = Wire.tag(15, 2) + Wire.varint(UInt64(bomb.count)) + bomb }
        let body = Wire.body("v1", "Namespace", Wire.message(1, Wire.text(1, "lab"), Wire.bytes(15, bomb)))
        #expect(try ProtobufBody.decode(body)["metadata"] == ["name": "lab"])
    }

    // MARK: Refusals

    @Test("what is no body of this kind is refused", arguments: [[], [0x7B, 0x7D], [0x6B, 0x38, 0x73]] as [[UInt8]])
    func noMagic(bytes: [UInt8]) {
        #expect(
            refusal(of: bytes)
                == "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    }

    @Test(
        "a kind without a message is refused by name",
        arguments: [("v1", "Podd"), ("apps/v2", "Deployment"), ("", ""), ("a/b/c", "Pod"), ("meta", "ObjectMeta")])
    func unknownKind(apiVersion: String, kind: String) {
        #expect(
            refusal(of: Wire.body(apiVersion, kind))
                == "no kind \"\(kind)\" is registered for version \"\(apiVersion)\" in protobuf")
    }

    @Test("a message that names no type is refused") func noType() {
        #expect(refusal(of: Wire.magic) == "no kind \"\" is registered for version \"\" in protobuf")
    }

    @Test(
        "bad wire data is refused with the reason",
        arguments: [
            ("a text that ends early", Wire.tag(1, 2) + [5, 0x61], "unexpected EOF"),
            ("a length without text", Wire.tag(1, 2), "unexpected EOF"),
            ("a varint that ends early", Wire.tag(7, 0) + [0x80], "unexpected EOF"),
            ("eight bytes that are four", Wire.tag(99, 1) + [1, 2, 3, 4], "unexpected EOF"),
            ("four bytes that are three", Wire.tag(99, 5) + [1, 2, 3], "unexpected EOF"),
            ("a length beyond memory", Wire.tag(1, 2) + Wire.varint(.max), "unexpected EOF"),
            (
                "a varint of eleven bytes", Wire.tag(7, 0) + [UInt8](repeating: 0x80, count: 10) + [1],
                "proto: integer overflow"
            ),
            ("a tag of eleven bytes", [UInt8](repeating: 0xFF, count: 11), "proto: integer overflow"),
            ("a group", Wire.tag(1, 3), "proto: illegal wireType 3"),
            ("the end of a group", Wire.tag(1, 4), "proto: illegal wireType 4"),
            ("wire type 7", Wire.tag(1, 7), "proto: illegal wireType 7"),
            ("field 0", Wire.text(0, "x"), "proto: illegal tag 0 (wire type 2)"),
            ("a field beyond 32 bits", Wire.tag(1 << 40, 0) + [0], "proto: illegal tag 1099511627776 (wire type 0)"),
            ("a number for a text", Wire.number(1, 5), "proto: wrong wireType for field 1"),
            ("a text for a number", Wire.text(7, "5"), "proto: wrong wireType for field 7"),
            ("a number for a message", Wire.number(8, 5), "proto: wrong wireType for field 8"),
            ("a number for an entry", Wire.number(11, 5), "proto: wrong wireType for field 11"),
        ])
    func badWireData(name: String, metadata: [UInt8], message: String) {
        #expect(refusal(of: Wire.body("v1", "Namespace", Wire.message(1, metadata))) == message)
    }

    @Test("a body that is cut anywhere inside its object is refused")
    func cutAnywhere() {
        let body =
            Wire.magic + Wire.message(1, Wire.text(1, "v1"), Wire.text(2, "Pod"))
            + Wire.message(2, Wire.text(99, "abc"))
        let start = body.count - 8
        for end in start + 1..<body.count {
            #expect(refusal(of: Array(body[..<end])) == "unexpected EOF", "cut at \(end)")
        }
    }

    // MARK: Bounds

    @Test("the time for a list and a map grows with their size, not with its square")
    func manyElements() throws {
        let count = 100_000
        var command: [UInt8] = []
        var labels: [UInt8] = []
        for index in 0..<count {
            command += Wire.text(3, "")
            labels += Wire.entry(11, "k\(index)", "")
        }
        let body = Wire.body("v1", "Pod", Wire.message(1, labels), Wire.message(2, Wire.bytes(2, command)))
        let pod = Pod(KubeObject(try ProtobufBody.decode(body)))
        #expect(pod.containers.first?.command.count == count)
        #expect(pod.object.labels.count == count)
    }

    @Test(
        "whatever the bytes, decoding ends in an object not much larger than they are, or in an error",
        arguments: 1...8 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var decodedCount = 0
        for round in 0..<400 {
            var bytes = Bool.random(using: &random) ? WireSamples.pod : WireSamples.deployment
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 4..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = .random(in: 0...255, using: &random)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(.random(in: 0...255, using: &random), at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
                }
            }
            guard let value = try? ProtobufBody.decode(bytes) else { continue }
            decodedCount += 1
            let size = value.encoded.count
            #expect(size < 40 * bytes.count, "seed \(seed), round \(round)")
            #expect((try? JSONValue(parsing: value.encoded)) != nil, "seed \(seed), round \(round)")
        }
        #expect(decodedCount > 10, "seed \(seed): the changes are so small that some bodies stay good")
    }
}
