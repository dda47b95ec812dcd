# The HTTP port: three pages for whoever watches over the server, and nothing else.

# Send bytes to the port: what comes back until the server closes.
proc http_raw {bytes} {
    set channel [socket 127.0.0.1 [info_field http_port]]
    fconfigure $channel -translation binary
    puts -nonewline $channel $bytes
    flush $channel
    set answer [read $channel]
    close $channel
    return $answer
}
proc http_get {path} { http_raw "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" }
proc http_status {answer} { return [lindex [split [lindex [split $answer \r] 0] " "] 1] }
proc http_page {answer} { return [string range $answer [string first \r\n\r\n $answer]+4 end] }

set http_port [tls_free_port]
start_server [list http-port $http_port] {
    test "/health: fields, and full when a limit is reached" {
        set answer [http_get /health]
        assert_equal 200 [http_status $answer]
        assert_match "*application/json*" $answer
        foreach field {status records nodes edges event_log_height version persistence memory} {
            assert_match "*\"$field\": *" [http_page $answer]
        }
        r config set max-records 10
        for {set i 0} {$i < 9} {incr i} { r vadd v values 2 1 $i e$i }
        assert_match {*"status": "degraded"*"live": 9*"capacity": 10*"fill_pct": 90.0*} [http_page [http_get /health]]
        r vadd v values 2 1 9 e9
        assert_equal 503 [http_status [http_get /health]]
        assert_match {*"status": "full"*} [http_page [http_get /health]]
        assert_error "ERR max-records is reached" {r vadd v values 2 3 3 e10}
        assert_equal 0 [r vadd v values 2 5 5 e1]
        assert_error "ERR max-records is reached" {r vmadd v fp32 [fp32 1 2 3 4] elements 2 e1 e11}
        assert_equal 10 [r vcard v]
        r multi
        r vadd v values 2 3 3 e10
        assert_error "EXECABORT*" {r exec}
        assert_equal 10 [r vcard v]
        r config set max-records -1
        assert_equal 200 [http_status [http_get /health]]
        assert_equal 1 [r vadd v values 2 3 3 e10]
    }
    test "/metrics: every row of the table once, in Prometheus's format" {
        set page [http_page [http_get /metrics]]
        set lines [split [string trimright $page \n] \n]
        set typed {}
        foreach line $lines {
            if {[regexp {^# TYPE (\S+) (counter|gauge|summary)$} $line all name kind]} {
                assert {![dict exists $typed $name]}
                dict set typed $name $kind
            } elseif {[string index $line 0] ne "#"} {
                assert {[regexp {^(valori_[a-z0-9_]+)(\{[^\}]*\})? -?[0-9.e+-]+$} $line all name]}
                regsub {_(sum|count)$} $name "" family
                assert {[dict exists $typed $name] || [dict exists $typed $family]}
            }
        }
        foreach name {valori_records_live valori_records_capacity valori_record_fill_ratio valori_nodes_live
                      valori_edge_fill_ratio valori_event_log_height valori_node_up valori_events_committed_total
                      valori_replication_lag valori_snapshot_size_bytes valori_commands_processed_total} {
            assert {[dict exists $typed $name]}
        }
        assert_match "*\nvalori_records_live 11\n*" $page
        assert_match {*valori_command_calls_total{command="vadd"} 1*} $page
    }
    test "/ready, other paths, other methods, bodies, and what is no HTTP" {
        assert_equal "ready\n" [http_page [http_get /ready]]
        assert_equal 404 [http_status [http_get /config]]
        assert_equal 200 [http_status [http_get "/ready?x=1"]]
        assert_equal 405 [http_status [http_raw "POST /health HTTP/1.1\r\n\r\n"]]
        assert_equal 413 [http_status [http_raw "GET /health HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"]]
        assert_equal 400 [http_status [http_raw "*1\r\n\$4\r\nPING\r\n\r\n"]]
        assert_equal 431 [http_status [http_raw "GET /[string repeat x 9000]"]]
        set head [http_raw "HEAD /ready HTTP/1.0\r\n\r\n"]
        assert_match "*Content-Length: 6*" $head
        assert_equal "" [http_page $head]
        # One connection, two requests.
        set answer [http_raw "GET /ready HTTP/1.1\r\n\r\nGET /ready HTTP/1.1\r\nConnection: close\r\n\r\n"]
        assert_equal 2 [regsub -all "200 OK" $answer "" answer]
        # Whoever watches is no client.
        assert_equal 1 [info_field connected_clients]
    }
}

test "conf/alerts.yml and conf/grafana.json name only metrics that there are" {
    set known {}
    foreach file {metrics.md} {
        foreach {all name} [regexp -all -inline {`(valori_[a-z0-9_]+)`} [read_file [file join $::here .. .. docs $file]]] { dict set known $name 1 }
    }
    foreach file {alerts.yml grafana.json} {
        set names [lsort -unique [regexp -all -inline {valori_[a-z0-9_]+} [read_file [file join $::here .. .. conf $file]]]]
        assert {[llength $names] > 5}
        foreach name $names { assert {[dict exists $known $name]} }
    }
}
