"""What a static model starts from: one vector a word piece, packaged, distilled, or learned from the corpus."""
