// SQLite, which stores the relay's data.
#include <sqlite3.h>
