// ClassicSession
