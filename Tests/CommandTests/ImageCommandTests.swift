import Foundation
import Testing

@Suite("Image commands", .timeLimit(.minutes(5))) struct ImageCommandTests {
    @Test("an image is built, listed and removed without a cluster, and mistakes are one sentence and a way on")
    func life() async throws {
        try await Program.inNewHome { program in
            try program.write("app/Dockerfile", "FROM scratch\nCOPY page /\nCMD [\"/page\"]\n")
            try program.write("app/page", "hello")
            let built = try await program.run("image", "build", "-t", "page:v1", "app")
            #expect(built.code == 0, "\(built.errors)")
            #expect(built.output.hasPrefix("sha256:") && built.errors.contains("[2/3] COPY page /"))
            #expect(try await program.run("image", "build", "-t", "page:v1", "app").errors.contains("CACHED"))
            let list = try await program.run("image", "list", "--json")
            let value = try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [String: Any]
            #expect(value?["version"] as? Int == 1)
            let first = (value?["images"] as? [[String: Any]])?.first
            #expect(first?["repository"] as? String == "page" && first?["origin"] as? String == "built")
            #expect(first?["bytes"] as? Int == 5)
            #expect(try await program.run("image", "remove", "page:v1").output == "Removed image: page:v1\n")
            let again = try await program.run("image", "remove", "page:v1")
            #expect(again.code == 1)
            #expect(
                again.errors
                    == "Error: There is no image 'page:v1'.\nhint: `velocity image list` shows those that there are.\n")
            #expect(try await program.run("image", "prune").output == "5 B became free.\n")
            let load = try await program.run("image", "load", input: "no archive")
            #expect(load.code == 1)
            #expect(load.errors.hasPrefix("Error: 'standard input' cannot be read: it is cut off.\nhint: "))
        }
    }
}
