// libqrencode: QR codes as ISO/IEC 18004 has them.
#include <qrencode.h>
