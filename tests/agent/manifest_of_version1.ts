/**
 * The two slots of a manifest that a real agent of 0.1.0 wrote (commit 055c300, under luo emulate): session vm1 with file 7, session
 * empty, and a loaded image. The newer slot comes first. Each began a half of a memfd of 64 KiB that was zero after it.
 */

/** Sequence 5. */
export const NEWER: Uint8Array = Uint8Array.fromBase64(
  "TFVPTQEAAAAFAAAAAAAAAP0CAADZ1j/oeyJ2ZXJzaW9uIjoxLCJib290SWQiOiJhOTk3M2ZjZi03MTc5LTRjNDMtOTQ0Yi1jOGM1NTQz" +
    "N2I1NzkiLCJyZWxlYXNlIjoiNy4zLjQiLCJwaWQiOjIyNjgwLCJ1cGRhdGVzIjowLCJzZXNzaW9ucyI6W3sibmFtZSI6InZtMSIsInN0" +
    "YXRlIjoib3V0Z29pbmciLCJjcmVhdGVkQXQiOiIyMDI2LTExLTI2VDEyOjEwOjE3LjcyNVoiLCJmaWxlcyI6W3sidG9rZW4iOiI3Iiwi" +
    "bGFiZWwiOiJzdGF0ZSIsInNpemUiOjUxMjAsImRpZ2VzdCI6InNoYTI1NjpmMDY3MWU2YjZmZjhlOTYyOGNmMjdkY2QwZTRlYzMxZGQ4" +
    "MjJjNmRlYzBhOTljMTkxZmJlZjg2YzFjZGY0ZjU2Iiwic2VhbHMiOjAsInByZXNlcnZlZEF0IjoiMjAyNi0xMS0yNlQxMjoxMDoxOC4w" +
    "MDRaIiwic3RhdGUiOiJwcmVzZXJ2ZWQifV19LHsibmFtZSI6ImVtcHR5Iiwic3RhdGUiOiJvdXRnb2luZyIsImNyZWF0ZWRBdCI6IjIw" +
    "MjYtMTEtMjZUMTI6MTA6MTguMjI5WiIsImZpbGVzIjpbXX1dLCJpbWFnZSI6eyJsb2FkZWQiOnRydWUsImJ5IjoibHVvIiwia2VybmVs" +
    "IjoiL3RtcC94MTQva2VybmVsIiwic2l6ZSI6NTEyMCwiZGlnZXN0Ijoic2hhMjU2OmYwNjcxZTZiNmZmOGU5NjI4Y2YyN2RjZDBlNGVj" +
    "MzFkZDgyMmM2ZGVjMGE5OWMxOTFmYmVmODZjMWNkZjRmNTYiLCJyZWxlYXNlIjoiNy4zLjQtc3RhbmRpbiIsImNvbW1hbmRMaW5lIjoi" +
    "a2hvPW9uIGxpdmV1cGRhdGU9b24iLCJsb2FkZWRBdCI6IjIwMjYtMTEtMjZUMTI6MTA6MTguNjc1WiJ9LCJsb3NzZXMiOltdLCJlbmRl" +
    "ZCI6ZmFsc2V9",
);

/** Sequence 4, without the image. */
export const OLDER: Uint8Array = Uint8Array.fromBase64(
  "TFVPTQEAAAAEAAAAAAAAAPsBAAApMb93eyJ2ZXJzaW9uIjoxLCJib290SWQiOiJhOTk3M2ZjZi03MTc5LTRjNDMtOTQ0Yi1jOGM1NTQz" +
    "N2I1NzkiLCJyZWxlYXNlIjoiNy4zLjQiLCJwaWQiOjIyNjgwLCJ1cGRhdGVzIjowLCJzZXNzaW9ucyI6W3sibmFtZSI6InZtMSIsInN0" +
    "YXRlIjoib3V0Z29pbmciLCJjcmVhdGVkQXQiOiIyMDI2LTExLTI2VDEyOjEwOjE3LjcyNVoiLCJmaWxlcyI6W3sidG9rZW4iOiI3Iiwi" +
    "bGFiZWwiOiJzdGF0ZSIsInNpemUiOjUxMjAsImRpZ2VzdCI6InNoYTI1NjpmMDY3MWU2YjZmZjhlOTYyOGNmMjdkY2QwZTRlYzMxZGQ4" +
    "MjJjNmRlYzBhOTljMTkxZmJlZjg2YzFjZGY0ZjU2Iiwic2VhbHMiOjAsInByZXNlcnZlZEF0IjoiMjAyNi0xMS0yNlQxMjoxMDoxOC4w" +
    "MDRaIiwic3RhdGUiOiJwcmVzZXJ2ZWQifV19LHsibmFtZSI6ImVtcHR5Iiwic3RhdGUiOiJvdXRnb2luZyIsImNyZWF0ZWRBdCI6IjIw" +
    "MjYtMTEtMjZUMTI6MTA6MTguMjI5WiIsImZpbGVzIjpbXX1dLCJsb3NzZXMiOltdLCJlbmRlZCI6ZmFsc2V9",
);

export const SLOT_BYTES = 32768;
