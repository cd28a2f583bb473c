# Tries what an app has no business with and says what came of each: one line, a name and an outcome.
# Many calls are made in a way that the kernel itself answers with another error than the sandbox, whoever asks; none of
# them changes anything, even where it is let through. System call numbers are those of x86-64.
use strict;
use warnings;
use Fcntl;

$| = 1;

my %why = (1 => 'EPERM', 2 => 'ENOENT', 13 => 'EACCES', 14 => 'EFAULT', 22 => 'EINVAL', 30 => 'EROFS', 38 => 'ENOSYS',
    97 => 'EAFNOSUPPORT', 28 => 'ENOSPC');
sub why { my $number = $! + 0; return $why{$number} // $number }
sub say_it { my ($name, $outcome) = @_; print "$name $outcome\n" }
sub call { my ($name, @words) = @_; say_it($name, syscall(shift @words, @words) == -1 ? why() : 'done') }

sub write_to {
    my ($name, $path) = @_;
    my $done = sysopen(my $file, $path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    say_it($name, $done ? 'done' : why());
    unlink $path if $done;
}

sub read_from { my ($name, $path) = @_; say_it($name, open(my $file, '<', $path) ? 'done' : why()) }
sub status { my ($key) = @_; open(my $file, '<', '/proc/self/status'); return (map { /^$key:\s*(\S+)/ ? $1 : () } <$file>)[0] }
sub mounted_read_only {
    my ($path) = @_;
    open(my $file, '<', '/proc/self/mountinfo');
    my $options = '';
    while (<$file>) { my @word = split; $options = $word[5] if $word[4] eq $path }
    return $options =~ /^ro\b/ ? 'yes' : 'no';
}

# Files.
say_it('tmp', -e '/tmp/of-the-system' ? 'seen' : 'hidden');
write_to('system', '/usr/local/open/file');
write_to('home', '/home/open/file');
write_to('release', "$ENV{LOOK_RELEASE}/file") if $ENV{LOOK_RELEASE};
read_from('others-data', '/var/lib/appctl/other/data/secret');
say_it('umask', sprintf('%04o', umask));
say_it('modules', opendir(my $modules, '/usr/lib/modules') ? 'done' : why());
say_it('devices', -e '/dev/of-the-system' ? 'seen' : 'hidden');
say_it('kernel-log', sprintf('%04o', (stat '/proc/kmsg')[2] & 07777));
say_it('cgroups', mounted_read_only('/sys/fs/cgroup'));
say_it('sysctl', mounted_read_only('/proc/sys'));
say_it('sysfs', mounted_read_only('/sys'));

# Processes and privileges.
say_it('processes', -d '/proc/1' ? 'seen' : 'hidden');
my $effective = `/usr/local/bin/setuid-id -u`;
say_it('setuid', $effective =~ /^0$/ ? 'root' : 'nothing');
say_it('capabilities', status('CapBnd') =~ /^0+$/ ? 'none' : 'some');
open(my $map, '<', '/proc/self/uid_map');
my ($inside, $outside, $count) = split ' ', <$map>;
say_it('users', $count > 1 ? 'all' : 'own');
my $own = ($ENV{STATE_DIRECTORY} // '/var/tmp') . "/setgid-$$";
sysopen(my $file, $own, O_WRONLY | O_CREAT, 0600);
say_it('setgid', chmod(02700, $own) ? 'done' : why());
unlink $own;

# The kernel. A pointer that is 0 is never looked at where the sandbox forbids the call.
say_it('hostname', readlink('/proc/self/ns/uts') eq ($ENV{LOOK_UTS} // '') ? 'shared' : 'own');
my $impossible = pack('qq', 0, -1);
call('clock', 227, 0, $impossible);
call('sysctl-call', 156, 0);
call('syslog', 103, 10, 0, 0);
call('realtime', 144, 0, 1, 0);
call('namespaces', 272, 0x10000000 | 1);
call('personality', 135, 8);
call('raw-sockets', 41, 17, 3, 0);
call('ptrace', 101, 0, 0, 0, 0);
call('cpu-emulation', 154, 99, 0, 0);
call('obsolete', 134, 0);
call('raw-io', 173, 65535, 65535, 1);
call('swap', 167, 0, 0x7fffffff);
call('mount', 428, -1, 0, 0x40000000);
call('affinity', 203, 0, 0, 0);
say_it('filters', status('Seccomp_filters') // 'unknown');
sleep 1000 if $ENV{LOOK_AND_STAY};
