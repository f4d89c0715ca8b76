import ContainerRuntime
import Foundation
import KubeModel

/// The registry logins that a person keeps with docker: `config.json` in `$DOCKER_CONFIG`, else in `~/.docker`.
///
/// It is read and never written. Source: Docker's "docker login", "Credential stores".
struct DockerLogins {
    private let file: String
    private let settings: JSONValue

    init() throws {
        let folder = Machine.environment["DOCKER_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        file = (folder ?? Machine.userHome + "/.docker") + "/config.json"
        guard let data = FileManager.default.contents(atPath: file) else {
            settings = [:]
            return
        }
        guard let value = try? JSONValue(parsing: Array(data)) else {
            throw ImageError("Your registry logins in '\(file)' cannot be read: they are no JSON.")
        }
        settings = value
    }

    /// What there is for an image: of the helper that its registry has, else what is written in the file.
    func keyring(for image: String) throws -> RegistryKeyring {
        var keyring = RegistryKeyring()
        guard let registry = ImageReference(parsing: image)?.registry else { return keyring }
        let place = registry == "docker.io" ? "https://index.docker.io/v1/" : registry
        let helper = settings["credHelpers"]?[registry]?.string ?? settings["credsStore"]?.string
        if let helper, let login = try ask(helper, for: place) {
            keyring.add(login, for: place)
            return keyring
        }
        do throws(RegistryKeyring.Malformed) { try keyring.add(auths: settings["auths"]?.object ?? [:]) } catch {
            throw ImageError("Your registry logins in '\(file)' cannot be read: \(error.sentence).")
        }
        return keyring
    }

    /// `docker-credential-NAME get`: the place goes in, a name and a secret come out; nil where it knows none.
    private func ask(_ name: String, for place: String) throws -> RegistryLogin? {
        guard let program = Machine.find("docker-credential-\(name)") else {
            throw ImageError(
                "'docker-credential-\(name)', which '\(file)' names for the login, is not installed.",
                hint: "Install it, or take it out of that file.")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["get"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        // Into the pipe before somebody could end without reading.
        try input.fileHandleForWriting.write(contentsOf: Data(place.utf8))
        try input.fileHandleForWriting.close()
        try process.run()
        let data = (try? output.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, let answer = try? JSONValue(parsing: Array(data)),
            let user = answer["Username"]?.string, let secret = answer["Secret"]?.string
        else { return nil }
        // So it says that the secret is no password.
        return user == "<token>"
            ? RegistryLogin(user: "", password: "", identityToken: secret) : RegistryLogin(user: user, password: secret)
    }
}
