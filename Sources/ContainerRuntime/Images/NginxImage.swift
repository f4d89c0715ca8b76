import Glibc

/// `nginx`: the host's nginx, with the official image's ways: `/usr/share/nginx/html`, `/etc/nginx/nginx.conf` and `conf.d`, logs to
/// the streams; root's, with workers of the user `nginx`, wherever one program can change its user.
extension ImageCatalog {
    static let nginxImage = BuiltIn(
        repository: "docker.io/library/nginx", tags: nginxTags,
        tagSummary: "1.14 to 1.29, stable, latest, each also -alpine", runs: "the host's nginx",
        needs: ("nginx", "nginx-light")
    ) { reference, tag, _ in
        let isRoots = geteuid() == 0 || UserRanges.isAvailable
        let places = Places(temporary: "/var/cache/nginx", process: "/var/run/nginx.pid")
        return Recipe(
            image: Image(
                reference: reference, digest: "builtin:nginx:\(tag)",
                entrypoint: ["sh", nginxEntrypointPath, nginxSettings],
                command: ["nginx", "-g", "daemon off;"], user: isRoots ? nil : 101, stopSignal: 3),
            mounts: ["/var/cache/nginx", "/var/log/nginx"].map {
                .init(hostPath: "", containerPath: $0, isReadOnly: false)
            },
            files: [
                SystemFiles.File(path: nginxEntrypointPath, content: nginxEntrypoint),
                SystemFiles.File(
                    path: nginxSettings,
                    content: nginxConfiguration(
                        Places(temporary: "/tmp", process: "/tmp/nginx.pid"), nginxServer)),
            ],
            defaults: [
                SystemFiles.File(
                    path: "/etc/nginx/nginx.conf",
                    content: (isRoots ? "user nginx;\n" : "")
                        + nginxConfiguration(places, "include /etc/nginx/conf.d/*.conf;")),
                SystemFiles.File(path: "/etc/nginx/conf.d/default.conf", content: nginxServer + "\n"),
            ],
            litter: ["/run/nginx.pid"]
                + ["client_temp", "proxy_temp", "fastcgi_temp", "uwsgi_temp", "scgi_temp"].map {
                    "\(places.temporary)/\($0)"
                },
            owned: ["/usr/share/nginx/html", "/etc/nginx/conf.d"])
    }

    /// Where nginx keeps what goes with it.
    private struct Places {
        var temporary: String
        var process: String
    }

    /// Those of level `plain`, where the files in /etc/nginx are this machine's.
    private static let nginxSettings = "/etc/velocitylab/nginx.conf"

    private static let nginxTags: [String] = {
        let versions =
            ["1", "1.14.2", "1.16.1"] + (14...29).map { "1.\($0)" } + ["1.25.3", "1.25.4", "1.26.2", "1.27.3"]
        let names = versions + ["stable", "mainline"]
        return ["latest", "alpine"] + names + names.map { "\($0)-alpine" }
    }()

    private static let nginxEntrypointPath = "/opt/velocitylab/bin/docker-entrypoint.sh"

    /// In a root of its own it has the folders of the official image; at level `plain` a folder of its own, where it may make one.
    private static let nginxEntrypoint = """
        #!/bin/sh
        settings=$1
        shift
        if [ "${1:-}" != nginx ]; then exec "$@"; fi
        shift
        # A volume where it logs has files that somebody reads.
        log_into() { echo "s|log stderr;|log $1/error.log;|; s|log /dev/stdout;|log $1/access.log;|"; }
        if [ -z "${VELOCITY_ROOT:-}" ]; then
            settings=/etc/nginx/nginx.conf own=/run/own-nginx.conf change=
            mkdir -p /var/lib/nginx
            if ! grep -q ' /var/log/nginx ' /proc/self/mounts; then
                ln -s /dev/stdout /var/log/nginx/access.log
                ln -s /dev/stderr /var/log/nginx/error.log
            elif grep -q 'access_log /dev/stdout;' "$settings"; then
                change=$(log_into /var/log/nginx)
            fi
            # Where the system lends users and refuses them then, there is nobody whom root could become.
            if [ "$(id -u)" = 0 ] && ! awk '$1 <= 101 && 101 < $1 + $3 { found = 1 } END { exit !found }' /proc/self/uid_map; then
                change="s|^user .*;|user root;|; $change"
            fi
            if [ -n "$change" ]; then sed "$change" "$settings" > "$own" && settings=$own; fi
        elif mkdir "$VELOCITY_ROOT/nginx"; then
            own=$VELOCITY_ROOT/nginx/nginx.conf logs=$VELOCITY_ROOT/var/log/nginx
            # Whoever nginx would become cannot read the pod's files.
            if [ "$(id -u)" = 0 ]; then echo "user root;"; fi > "$own"
            sed -E "s#(pid|_temp_path) /tmp/#\\1 $VELOCITY_ROOT/nginx/#" "$settings" \
                | if [ -L "$logs" ]; then sed "$(log_into "$logs")"; else cat; fi >> "$own" && settings=$own
        fi 2>/dev/null
        exec nginx -e stderr -c "$settings" "$@"

        """

    private static let nginxServer = """
        server {
            listen 80;
            server_name localhost;
            root /usr/share/nginx/html;
            index index.html index.nginx-debian.html;
        }
        """

    private static func nginxConfiguration(_ places: Places, _ servers: String) -> String {
        """
        worker_processes 1;
        pid \(places.process);
        error_log stderr;
        events { worker_connections 256; }
        http {
            include /etc/nginx/mime.types;
            access_log /dev/stdout;
            client_body_temp_path \(places.temporary)/client_temp;
            proxy_temp_path \(places.temporary)/proxy_temp;
            fastcgi_temp_path \(places.temporary)/fastcgi_temp;
            uwsgi_temp_path \(places.temporary)/uwsgi_temp;
            scgi_temp_path \(places.temporary)/scgi_temp;
            \(servers)
        }

        """
    }
}
