# Looking at the server: INFO, CONFIG GET, COMMAND, CLIENT, DEBUG.

start_server {requirepass "" maxclients 123 enable-debug-command local} {
    test "INFO has the fields that tools read" {
        foreach name {
            redis_version valori_version redis_mode os arch_bits process_id run_id tcp_port
            uptime_in_seconds hz executable connected_clients maxclients blocked_clients used_memory
            used_memory_human used_memory_rss used_memory_peak maxmemory mem_allocator total_system_memory
            loading aof_enabled aof_last_write_status aof_current_size rdb_bgsave_in_progress
            total_connections_received total_commands_processed instantaneous_ops_per_sec
            total_net_input_bytes total_net_output_bytes keyspace_hits keyspace_misses role
            connected_slaves used_cpu_sys used_cpu_user cluster_enabled simd simd_codes sha256 log_entries
            log_durable recovery_entries recovery_truncated_bytes uptime_in_days configured_hz
            redis_build_id io_threads_active tracking_clients pubsub_clients
            client_recent_max_input_buffer client_recent_max_output_buffer used_memory_overhead
            used_memory_startup used_memory_dataset used_memory_lua used_memory_scripts
            maxmemory_policy mem_fragmentation_ratio mem_clients_normal mem_clients_slaves
            number_of_cached_scripts async_loading rdb_changes_since_last_save rdb_last_save_time
            rdb_last_bgsave_status aof_rewrite_in_progress rejected_connections sync_full
            sync_partial_ok sync_partial_err expired_keys evicted_keys pubsub_channels
            pubsub_patterns latest_fork_usec total_error_replies
            client_query_buffer_limit_disconnections client_output_buffer_limit_disconnections
            master_failover_state master_replid master_replid2 master_repl_offset
            second_repl_offset repl_backlog_active used_cpu_sys_children used_cpu_user_children
            io_thread_0
        } { if {[info_field $name] eq ""} { complain "no $name" } }
        assert_equal 40 [string length [info_field run_id]]
        assert_equal 123 [info_field maxclients]
    }
    test "INFO's sections" {
        assert_match "# Server*" [r info SERVER]
        assert {![string match "*# Memory*" [r info server]]}
        assert_match "*# Server*# CPU*" [r info cpu server]
        assert {![string match "*cmdstat_*" [r info]]}
        assert_match "*cmdstat_info:calls=*" [r info all]
        set all [r info everything]
        assert_match "# Server*# Clients*# Memory*# Persistence*# Stats*# Replication*# Threads*# CPU*# Modules*# Commandstats*# Errorstats*# Latencystats*# Cluster*# Keyspace*" $all
        assert_equal [regexp -all -inline -line {^# \w+} $all] [regexp -all -inline -line {^# \w+} [r info ALL]]
        assert_equal [regexp -all -inline -line {^# \w+} [r info]] [regexp -all -inline -line {^# \w+} [r info default]]
        assert_equal "{# CPU}" [regexp -all -inline -line {^# \w+} [r info cpu CPU Cpu nosuch]]
        assert_equal "" [r info nosuch]
        assert {![regexp {[^\r]\n} $all]}
        r send hello 3
        r read
        r send info cluster
        assert_equal "=34" [r line]
        assert_equal "txt:# Cluster\r\ncluster_enabled:0\r\n\r\n" [r take 36]
        r hello 2
        r vadd k values 1 1 e
        assert_match "*db0:keys=1,expires=0*" [r info keyspace]
    }
    test "Errorstats and Latencystats" {
        r config resetstat
        catch {r vdim nokey}
        catch {r vadd nokey}
        catch {r hello 9}
        assert_match "# Errorstats\r\nerrorstat_ERR:count=2\r\nerrorstat_NOPROTO:count=1\r\n" [r info errorstats]
        r debug digest
        assert {[regexp {latency_percentiles_usec_debug:p50=(\d+)\.\d+,p99=\d+\.\d+,p99.9=(\d+)} [r info latencystats] all low high]}
        assert {$high >= $low && $high < 5000000}
        r config set latency-tracking-info-percentiles "0 100"
        assert_match "*latency_percentiles_usec_vdim:p0=*,p100=*" [r info latencystats]
        assert_error "*must hold numbers from 0 to 100" {r config set latency-tracking-info-percentiles "50 x"}
        r config set latency-tracking no
        r config resetstat
        assert_equal "# Latencystats\r\n" [r info latencystats]
        r config set latency-tracking yes
    }
    test "CONFIG GET with globs and many names" {
        assert_equal {maxclients 123} [r config get maxclients]
        assert_equal {port 0} [r config get PORT]
        assert_equal {databases 16} [r config get data*ses]
        assert_equal 4 [llength [r config get maxclients databases maxclients]]
        assert_equal {} [r config get nosuch]
        assert {[llength [r config get *]] > 30}
        assert_error "ERR unknown subcommand 'foo'. Try CONFIG HELP." {r config foo}
    }
    test "a hard glob is quick" {
        set before [clock milliseconds]
        r config get [string repeat a* 400]b
        assert {[clock milliseconds] - $before < 200}
    }
    test "COMMAND tells what the table says" {
        assert_equal [r command count] [llength [r command]]
        assert_equal [r command count] [llength [r command list]]
        set vadd [lindex [r command info vadd] 0]
        assert_equal {vadd -5} [lrange $vadd 0 1]
        assert_equal {1 1 1} [lrange $vadd 3 5]
        assert {"@vector" in [lindex $vadd 6] && "write" in [lindex $vadd 2]}
        assert_equal {(nil)} [r command info nosuch]
        assert_equal {a b} [r command getkeys del a b]
        assert_error "ERR The command has no key arguments" {r command getkeys ping}
        assert_equal {vadd vcard vcreate vdim vemb vget vgetattr vinfo vismember vlinks vmadd vrandmember vrange vrem vscan vsearch vsetattr vsim vtag} [lsort [r command list filterby module vectorset]]
        assert_equal vadd [lindex [r command docs vadd] 0]
        set docs [lindex [r command docs vadd] 1]
        assert_equal vector_set [field $docs group]
        assert_equal key [field [lindex [field $docs arguments] 0] name]
        set count [lsearch -inline [field [lindex [r command docs vsim] 1] arguments] *COUNT*]
        assert_equal {num integer COUNT optional} \
            [lmap name {name type token flags} {field $count $name}]
        assert {[llength [r command docs]] == 2 * [r command count]}
    }
    test "CLIENT" {
        assert_equal (nil) [r client getname]
        assert_equal OK [r client setname me]
        assert_equal me [r client getname]
        assert_error "ERR Client names cannot contain*" {r client setname "a b"}
        assert_equal OK [r client setinfo lib-name test]
        assert_equal OK [r client setinfo lib-ver 1]
        assert_error "ERR Unrecognized option*" {r client setinfo foo 1}
        assert_match "id=[r client id] addr=127.0.0.1:*name=me*cmd=client|info*lib-name=test lib-ver=1*" [r client info]
        set c [client_open [srv port]]
        set id [$c client id]
        assert_equal 2 [llength [split [string trim [r client list]] "\n"]]
        assert_match "id=$id *" [r client list id $id]
        assert_equal 1 [r client kill id $id]
        assert [$c eof]
        $c close
        assert_error "ERR No such client" {r client kill 1.2.3.4:5}
        assert_equal OK [r client no-evict on]
        assert_error "ERR unknown subcommand 'maint_notifications'. Try CLIENT HELP." {r client maint_notifications on}
        assert_match "CLIENT <subcommand>*" [lindex [r client help] 0]
    }
    test "DEBUG: DIGEST, DIGEST-VALUE, VERIFY" {
        set digest [r debug digest]
        assert_equal 40 [string length $digest]
        set value [r debug digest-value k nokey]
        assert_equal [string repeat 0 40] [lindex $value 1]
        r vsetattr k e x
        assert {[r debug digest] ne $digest}
        assert {[lindex [r debug digest-value k] 0] ne [lindex $value 0]}
        r vsetattr k e ""
        assert_equal $value [r debug digest-value k nokey]
        assert_equal $digest [r debug digest]
        assert_equal OK [r debug verify]
    }
    test "a frozen view keeps its root while writes go on" {
        r vcreate f dim 4 index flat
        for {set i 0} {$i < 500} {incr i} { r vadd f values 4 $i 1 2 3 e$i setattr a$i }
        assert_equal OK [r debug freeze]
        for {set i 0} {$i < 500} {incr i} { r vadd f values 4 1 $i 2 3 e$i }
        for {set i 0} {$i < 250} {incr i} { r vrem f e$i }
        r del k
        assert_equal OK [r debug unfreeze]
        assert_equal OK [r debug verify]
        r debug freeze
        r flushall
        assert_equal OK [r debug unfreeze]
    }
    test "PROOF.STATE: fields, SYNC, and nothing new when nothing changed" {
        set proof [r proof.state sync]
        foreach {name size} {state_root 64 log_root 64 keyspace_root 64 system_root 64 semantics_id 64} {
            assert_equal $size [string length [field $proof $name]]
        }
        assert_equal 0 [field $proof dirty_ops]
        assert_equal $proof [r proof.state sync]
        assert_equal [expr {[field $proof log_size] - 1}] [field $proof seal_index]
        r vadd p values 1 1 e
        assert_equal 1 [expr {[field [r proof.state] dirty_ops] > 0}]
    }
}

start_server {} {
    test "DEBUG is off unless it is allowed" {
        assert_error "ERR DEBUG command not allowed.*" {r debug digest}
        assert_error "ERR DEBUG command not allowed.*" {r debug panic}
    }
}

start_server {enable-debug-command yes may_panic 1} {
    test "a failed check ends the process with exit code 70 and says where" {
        r send debug panic
        lassign [await_end] code err
        assert {$code in {70 SIGABRT}}
        assert_match "*DEBUG PANIC was asked for*" $err
    }
}

if {![catch {exec redis-cli --version}]} {
    start_server {} {
        test "redis-cli: RESP2, RESP3, pipes" {
            assert_equal PONG [exec redis-cli -p [srv port] ping]
            assert_equal PONG [exec redis-cli -3 -p [srv port] ping]
            assert_equal 1 [exec redis-cli -p [srv port] vadd k values 2 1 2 e]
            assert_match "*e*1*" [exec redis-cli -3 -p [srv port] vsim k ele e withscores]
            assert_match "*errors: 0, replies: 100*" [exec redis-cli -p [srv port] --pipe << [string repeat "VADD k VALUES 2 1 2 f\r\n" 100]]
        }
        test "redis-benchmark" {
            if {[catch {exec redis-benchmark --version}]} { skip "not installed" }
            assert_match "*\"PING_MBULK\"*" [exec redis-benchmark -p [srv port] -t ping -n 2000 -c 10 -P 4 --csv 2>@1]
            exec redis-benchmark -p [srv port] -n 2000 -r 100 -c 10 -q VADD b VALUES 2 0.__rand_int__ 1 e:__rand_int__ 2>@1
            assert_equal 100 [r vcard b]
        }
    }
}
