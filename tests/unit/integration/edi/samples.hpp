// Interchanges as they come from partners.
#pragma once

#include <string>

namespace mainstay::edi {

inline std::string isa(const std::string& control, const std::string& version = "00401") {
  return "ISA*00*          *00*          *ZZ*PARTNER        *12*WAREHOUSE      *261128*0715*U*" +
         version + "*" + control + "*0*P*>~\n";
}

inline std::string order_850() {
  return isa("000000905") +
         "GS*PO*PARTNER*WAREHOUSE*20261128*0715*77*X*004010~\n"
         "ST*850*0001~\n"
         "BEG*00*SA*PO-1001**20261128~\n"
         "REF*DP*099~\n"
         "DTM*002*20261201~\n"
         "N1*ST*Shop 7*92*0007~\n"
         "N3*1 Main Street~\n"
         "N4*Springfield*IL*62701*US~\n"
         "PO1*1*10*EA*9.90*PE*VP*ITEM-1*UP*012345678905~\n"
         "PID*F****A red one~\n"
         "PO1*2*3*CA*.5**VP*ITEM-2~\n"
         "CTT*2~\n"
         "SE*12*0001~\n"
         "ST*850*0002~\n"
         "BEG*00*SA*PO-1002**20261128~\n"
         "PO1*1*1*EA~\n"
         "SE*4*0002~\n"
         "GE*2*77~\n"
         "IEA*1*000000905~\n";
}

inline std::string orders_edifact() {
  return "UNA:+.? '\r\n"
         "UNB+UNOC:3+PARTNER:14+WAREHOUSE:14+261128:0715+42'\r\n"
         "UNH+1+ORDERS:D:96A:UN:EAN008'\r\n"
         "BGM+220+PO-77+9'\r\n"
         "DTM+137:20261128:102'\r\n"
         "FTX+DEL+++Gate 3?: ring twice?'s fine'\r\n"
         "NAD+BY+5412345000013::9'\r\n"
         "NAD+DP+5412345000020::9'\r\n"
         "LIN+1++4000862141404:EN'\r\n"
         "QTY+21:48:PCE'\r\n"
         "PRI+AAA:1.25'\r\n"
         "LIN+2++4000862141411:EN'\r\n"
         "QTY+21:12'\r\n"
         "UNS+S'\r\n"
         "CNT+2:2'\r\n"
         "UNT+14+1'\r\n"
         "UNZ+1+42'\r\n";
}

}  // namespace mainstay::edi
