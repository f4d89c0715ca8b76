import KubeClient
import KubeModel
import Testing

@Suite("Definitions of custom resources", .timeLimit(.minutes(5))) struct DefinitionRulesTests {
    private func complaints(_ change: (inout JSONValue) -> Void) async throws -> [String] {
        let fixture = try Fixture()
        let status = try await refusal {
            _ = try await fixture.client.create(.customResourceDefinitions, CronTabs.definition(change))
        }
        #expect(status.code == 422)
        return (status.details?["causes"]?.array ?? []).map {
            "\($0["field"]?.string ?? ""): \($0["message"]?.string ?? "")"
        }
    }

    private func schema(_ change: (inout JSONValue) -> Void) async throws -> [String] {
        try await complaints { spec in
            var versions = spec["versions"]?.array ?? []
            var schema = versions[0][["schema", "openAPIV3Schema"]] ?? [:]
            change(&schema)
            versions[0][["schema", "openAPIV3Schema"]] = schema
            spec["versions"] = .array(versions)
        }
    }

    @Test("the name is the plural and the group")
    func name() async throws {
        #expect(
            try await complaints { $0[["names", "plural"]] = "tabs" } == [
                "metadata.name: Invalid value: \"crontabs.stable.example.com\": must be "
                    + "spec.names.plural+\".\"+spec.group"
            ])
    }

    @Test("exactly one version is stored")
    func storage() async throws {
        let found = try await complaints { spec in
            var versions = spec["versions"]?.array ?? []
            versions[1]["storage"] = true
            spec["versions"] = .array(versions)
        }
        #expect(found.count == 2)
        #expect(found.first?.hasSuffix("must have exactly one version marked as storage version") == true)
        #expect(found.last?.hasSuffix("must have the storage version v1beta1") == true)
    }

    @Test("types must be said, once, and at the root it is an object")
    func structural() async throws {
        let path = "spec.versions[0].schema.openAPIV3Schema"
        #expect(
            try await schema { $0[["properties", "spec", "properties", "image"]] = ["maxLength": 3] } == [
                "\(path).properties[spec].properties[image].type: Required value: must not be empty for specified "
                    + "object fields"
            ])
        #expect(
            try await schema { $0["anyOf"] = [["properties": ["other": ["minLength": 1]]]] } == [
                "\(path).properties[other]: Required value: because it is defined in "
                    + "\(path).anyOf[0].properties[other]"
            ])
        #expect(
            try await schema { $0["allOf"] = [["properties": ["spec": ["type": "object"]]]] } == [
                "\(path).allOf[0].properties[spec].type: Forbidden: must be empty to be structural"
            ])
        #expect(
            try await schema { $0[["properties", "metadata"]] = ["type": "object", "properties": ["labels": [:]]] }
                .contains(
                    "\(path).properties[metadata]: Forbidden: must not specify anything other than name and "
                        + "generateName, but metadata is implicitly specified"))
    }

    @Test("defaults must be right by their own schema")
    func defaults() async throws {
        let path = "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[replicas].default"
        #expect(
            try await schema { $0[["properties", "spec", "properties", "replicas", "default"]] = 99 } == [
                "\(path): Invalid value: 99:  in body should be less than or equal to 10"
            ])
    }

    @Test("keys of a map list must be there in every element")
    func listKeys() async throws {
        let path = "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[ports].items"
        #expect(
            try await schema { $0[["properties", "spec", "properties", "ports", "items", "required"]] = [] } == [
                "\(path).properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, "
                    + "so it must have a default or be a required property"
            ])
    }

    @Test("the scope, the names and the columns are held to their rules")
    func rest() async throws {
        #expect(
            try await complaints { $0["scope"] = "World" } == [
                "spec.scope: Unsupported value: \"World\": supported values: \"Cluster\", \"Namespaced\""
            ])
        #expect(
            try await complaints { $0[["names", "listKind"]] = "CronTab" } == [
                "spec.names.listKind: Invalid value: \"CronTab\": kind and listKind may not be the same"
            ])
        let found = try await complaints { spec in
            var versions = spec["versions"]?.array ?? []
            versions[0]["additionalPrinterColumns"] = [["name": "A", "type": "text", "jsonPath": "spec.x"]]
            spec["versions"] = .array(versions)
        }
        #expect(
            found == [
                "spec.versions[0].additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of "
                    + "boolean,date,integer,number,string",
                "spec.versions[0].additionalPrinterColumns[0].JSONPath: Invalid value: \"spec.x\": must be a simple "
                    + "json path starting with .",
            ])
    }

    @Test("scope and names stay as they are")
    func immutable() async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.customResourceDefinitions, CronTabs.definition())
        var definition = try await fixture.client.get(
            .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com")
        definition.value[["spec", "scope"]] = "Cluster"
        let status = try await refusal {
            _ = try await fixture.client.update(
                .customResourceDefinitions, definition, subresource: nil, options: WriteOptions())
        }
        #expect(status.message.hasSuffix("spec.scope: Invalid value: \"Cluster\": field is immutable"))
    }
}
