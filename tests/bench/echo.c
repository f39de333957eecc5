/* echo SOCKET: sends back what it reads from each client of a Unix stream socket, one client after the other. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char bytes[65536];
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 2)
		return 2;
	strncpy(address.sun_path, argv[1], sizeof(address.sun_path) - 1);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 4))
		return 1;
	for (;;) {
		int client = accept(listener, NULL, NULL);
		ssize_t got;

		while ((got = read(client, bytes, sizeof(bytes))) > 0)
			if (write(client, bytes, got) != got)
				break;
		close(client);
	}
}
