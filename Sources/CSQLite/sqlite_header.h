// SQLite: the relay's store.
#include <sqlite3.h>
