# Certificates, and clients that speak TLS.
#
# With --tls every server gets a TLS port beside its own, and every client of the harness uses it:
# what tools of others do stays plain. One authority signs for server and clients; `stranger` is a
# certificate of another one.

set tls 0
array set tls_ports {} ;# port -> TLS port of the same server

proc tls_file {name} { return [file join $::scratch tls $name] }

# Make a key and a certificate signed by `authority`.
proc tls_sign {name authority} {
    exec openssl req -newkey rsa:2048 -nodes -keyout [tls_file $name.key] -out [tls_file $name.csr] -subj /CN=$name 2>@1
    exec openssl x509 -req -in [tls_file $name.csr] -CA [tls_file $authority.pem] -CAkey [tls_file $authority.key] -CAcreateserial -out [tls_file $name.pem] -days 2 2>@1
}

# Everything below [tls_file ""], once a run. False without openssl or Tcl's tls.
proc tls_begin {} {
    if {[catch {package require tls}] || [auto_execok openssl] eq ""} { return 0 }
    if {[file exists [tls_file client.pem]]} { return 1 }
    file mkdir [tls_file ""]
    foreach name {ca other} {
        exec openssl req -x509 -newkey rsa:2048 -nodes -keyout [tls_file $name.key] -out [tls_file $name.pem] -days 2 -subj /CN=$name 2>@1
    }
    tls_sign server ca
    tls_sign client ca
    tls_sign stranger other
    return 1
}

proc tls_free_port {} {
    set listener [socket -server {} -myaddr 127.0.0.1 0]
    set port [lindex [fconfigure $listener -sockname] 2]
    close $listener
    return $port
}

# Options of a server with a TLS port.
proc tls_options {port} {
    return [list tls-port $port tls-cert-file [tls_file server.pem] tls-key-file [tls_file server.key] tls-ca-cert-file [tls_file ca.pem]]
}

# A channel to a TLS port, with the certificate of that name.
proc tls_channel {port {name client}} {
    return [::tls::socket -cafile [tls_file ca.pem] -certfile [tls_file $name.pem] -keyfile [tls_file $name.key] -require 1 127.0.0.1 $port]
}
